// The form fields that rules and builds share: where the image goes and how it is built.
import { useState } from 'preact/hooks';
import { listRegistryCredentials } from '../api/calls';
import type { ApiError } from '../api/errors';
import { checkDraft, draftFieldOf, type RecipeDraft } from '../model/recipe_draft';
import { AreaField, SelectField, TextField } from './fields';
import { useQuery } from './hooks';

interface Props {
  draft: RecipeDraft;
  onChange: (draft: RecipeDraft) => void;
  insist: boolean;
  error: ApiError | undefined;
}

function problems({ draft, error }: Pick<Props, 'draft' | 'error'>): Record<keyof RecipeDraft, string> {
  const found = checkDraft(draft);
  const field = error ? draftFieldOf(error.field) : '';
  if (field && error && !found[field]) found[field] = error.message;
  return found;
}

/** The destination and the credential for it. */
export function DestinationFields({ draft, onChange, insist, error }: Props) {
  const credentials = useQuery('registry-credentials', (signal) => listRegistryCredentials(signal).catch(() => []));
  const found = problems({ draft, error });
  const known = credentials.value ?? [];
  const example = known[0]?.registry ?? 'registry.example.com';
  const host = draft.destination.split('/')[0];
  const matching = known.filter((credential) => credential.registry === host);
  return (
    <div class="field-row">
      <TextField
        label="Image" mono value={draft.destination} insist={insist} problem={found.destination} placeholder={`${example}/team/app`} hint="Registry and repository, without a tag."
        onInput={(destination) => onChange({ ...draft, destination })} suggestions={known.map((credential) => `${credential.registry}/`)}
      />
      <SelectField
        label="Registry credential" value={draft.credential} insist problem={found.credential} onInput={(credential) => onChange({ ...draft, credential })}
        options={[{ value: '', label: matching.length === 1 ? `Automatic: ${matching[0]!.display_name}` : 'Automatic' }, ...known.map((credential) => ({ value: credential.id ?? '', label: `${credential.display_name} (${credential.registry})` }))]}
        hint="Automatic: the only one for that registry, else none."
      />
    </div>
  );
}

/** How the image is built. `paths`: whether there is a file tree in which a Dockerfile and a context can be chosen. */
export function RecipeFields({ draft, onChange, insist, error, paths }: Props & { paths: 'choose' | 'fixed' }) {
  const found = problems({ draft, error });
  const set = (change: Partial<RecipeDraft>) => onChange({ ...draft, ...change });
  const [filled] = useState(Boolean(draft.target || draft.platform || draft.args || draft.labels || draft.secrets || draft.timeout));
  const open = filled || (insist && Boolean(found.platform || found.args || found.labels || found.secrets || found.timeout));
  return (
    <>
      {paths === 'choose' && (
        <div class="field-row">
          <TextField label="Dockerfile" mono optional value={draft.dockerfile} insist={insist} problem={found.dockerfile} placeholder="Dockerfile" onInput={(dockerfile) => set({ dockerfile })} />
          <TextField label="Context directory" mono optional value={draft.context} insist={insist} problem={found.context} placeholder="." hint="What COPY and ADD are relative to." onInput={(context) => set({ context })} />
        </div>
      )}
      <details class="more" open={open}>
        <summary>Stage, platform, build arguments, secrets, labels, time-out</summary>
        <div class="field-row">
          <TextField label="Stage" mono optional value={draft.target} insist={insist} problem={found.target} placeholder="the last one" onInput={(target) => set({ target })} />
          <TextField label="Platform" mono optional value={draft.platform} insist={insist} problem={found.platform} placeholder="the agent’s own" suggestions={['linux/amd64', 'linux/arm64']} onInput={(platform) => set({ platform })} />
          <TextField label="Time-out in minutes" optional value={draft.timeout} insist={insist} problem={found.timeout} placeholder="60" onInput={(timeout) => set({ timeout })} />
        </div>
        <div class="field-row">
          <AreaField label="Build arguments" optional value={draft.args} insist={insist} problem={found.args} placeholder="VERSION=1.2" hint="One NAME=value per line. They can be read in the image: nothing secret here." onInput={(args) => set({ args })} />
          <AreaField label="Labels" optional value={draft.labels} insist={insist} problem={found.labels} placeholder="org.opencontainers.image.vendor=Example" hint="One name=value per line." onInput={(labels) => set({ labels })} />
          <AreaField label="Secrets" optional value={draft.secrets} insist={insist} problem={found.secrets} placeholder="npm" hint="The project’s secrets that RUN --mount=type=secret,id=… may read: one name per line, or ID=name." onInput={(secrets) => set({ secrets })} />
        </div>
      </details>
    </>
  );
}
