// The part that rules and builds share, while it is in a form: every value is the text in its field.
import type { ImageDestination, Recipe } from '../api/types';
import { checkDestination, checkPath, checkTimeout, formatPairs, parsePairs } from './checks';
import { minutesOfDuration } from './format';

export interface RecipeDraft {
  dockerfile: string;
  context: string;
  target: string;
  platform: string;
  args: string;
  labels: string;
  /** Lines `ID` or `ID=SECRET`. */
  secrets: string;
  timeout: string;
  destination: string;
  credential: string;
}

const DEFAULT_TIMEOUT_MINUTES = 60;

export function draftOf(recipe: Recipe | undefined, destination: ImageDestination | undefined): RecipeDraft {
  const minutes = minutesOfDuration(recipe?.timeout);
  return {
    dockerfile: recipe?.dockerfile_path ?? '',
    context: recipe?.context_dir ?? '',
    target: recipe?.target ?? '',
    platform: recipe?.platform ?? '',
    args: formatPairs(recipe?.build_args),
    labels: formatPairs(recipe?.labels),
    secrets: (recipe?.secrets ?? []).map(({ id, secret }) => (secret && secret !== id ? `${id}=${secret}` : id)).join('\n'),
    timeout: minutes > 0 && minutes !== DEFAULT_TIMEOUT_MINUTES ? String(minutes) : '',
    destination: destination?.repository ?? '',
    credential: destination?.registry_credential_id ?? '',
  };
}

export function recipeOf(draft: RecipeDraft): { recipe: Recipe; destination: ImageDestination } {
  const minutes = Number(draft.timeout.trim() || 0);
  return {
    recipe: {
      dockerfile_path: draft.dockerfile.trim(),
      context_dir: draft.context.trim(),
      target: draft.target.trim(),
      platform: draft.platform.trim(),
      build_args: parsePairs(draft.args, 'argument').pairs,
      labels: parsePairs(draft.labels, 'label').pairs,
      secrets: draft.secrets.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => ({ id: line.split('=', 1)[0], secret: line.includes('=') ? line.slice(line.indexOf('=') + 1) : '' })),
      ...(minutes > 0 ? { timeout: `${minutes * 60}s` } : {}),
    },
    destination: { repository: draft.destination.trim(), registry_credential_id: draft.credential },
  };
}

/** What is wrong, by the field's name in the draft; '' = nothing. */
export function checkDraft(draft: RecipeDraft): Record<keyof RecipeDraft, string> {
  return {
    dockerfile: checkPath(draft.dockerfile.trim()),
    context: checkPath(draft.context.trim()),
    target: '',
    platform: draft.platform.trim() === '' || /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?$/.test(draft.platform.trim()) ? '' : 'As os/arch, for example linux/amd64.',
    args: parsePairs(draft.args, 'argument').problem,
    labels: parsePairs(draft.labels, 'label').problem,
    secrets: draft.secrets.split('\n').map((line) => line.trim()).filter(Boolean).every((line) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(=[^\s=]+)?$/.test(line)) ? '' : 'One name per line, or ID=name.',
    timeout: checkTimeout(draft.timeout),
    destination: checkDestination(draft.destination.trim()),
    credential: '',
  };
}

/** Which field of the draft a field path of the API is about (`rule.recipe.dockerfile_path`, `spec.destination.repository`), or ''. */
export function draftFieldOf(path: string): keyof RecipeDraft | '' {
  const fields: [RegExp, keyof RecipeDraft][] = [
    [/(^|\.)dockerfile_path$/, 'dockerfile'],
    [/(^|\.)context_dir$/, 'context'],
    [/recipe\.target$/, 'target'],
    [/(^|\.)platform$/, 'platform'],
    [/(^|\.)build_args\b/, 'args'],
    [/(^|\.)labels\b/, 'labels'],
    [/(^|\.)secrets\b/, 'secrets'],
    [/(^|\.)timeout$/, 'timeout'],
    [/destination\.repository$/, 'destination'],
    [/(^|\.)registry_credential_id$/, 'credential'],
  ];
  return fields.find(([pattern]) => pattern.test(path))?.[1] ?? '';
}
