// What an event, or a rule's look at it, came to: words and tone.
import type { Event, ExplanationReason } from '../api/types';
import type { Tone } from './build_state';

export function reasonLook(reason: ExplanationReason | undefined): { label: string; tone: Tone } {
  switch (reason) {
    case 'REASON_MATCHED':
      return { label: 'Built', tone: 'good' };
    case 'REASON_RULE_DISABLED':
      return { label: 'Rule disabled', tone: 'neutral' };
    case 'REASON_BRANCH_NOT_MATCHED':
      return { label: 'Branch not matched', tone: 'neutral' };
    case 'REASON_TAG_NOT_MATCHED':
      return { label: 'Tag not matched', tone: 'neutral' };
    case 'REASON_ALREADY_BUILT':
      return { label: 'Already built', tone: 'neutral' };
    case 'REASON_NO_TAG':
      return { label: 'No tag for this ref', tone: 'warn' };
    case 'REASON_BUILD_REFUSED':
      return { label: 'Build refused', tone: 'bad' };
    case 'REASON_REF_EXCLUDED':
      return { label: 'Excluded', tone: 'neutral' };
    case 'REASON_PATHS_NOT_MATCHED':
      return { label: 'No path matched', tone: 'neutral' };
    case 'REASON_AUTHOR_NOT_MATCHED':
      return { label: 'Author not matched', tone: 'neutral' };
    case 'REASON_SKIP_MARK':
      return { label: 'Skipped by its message', tone: 'neutral' };
    default:
      return { label: 'Unknown', tone: 'neutral' };
  }
}

/** A list does not hold what each rule made of an event, only its sentence: `1 of 2 rules matched`. */
function matchedAny(event: Event): boolean {
  return /^[1-9]\d* of /.test(event.detail ?? '') || (event.explanations ?? []).some((one) => one.reason === 'REASON_MATCHED');
}

export function eventLook(event: Event): { label: string; tone: Tone } {
  switch (event.state) {
    case 'STATE_RECEIVED':
      return { label: 'Received', tone: 'active' };
    case 'STATE_EVALUATED':
      return matchedAny(event) ? { label: 'Matched', tone: 'good' } : { label: 'Evaluated', tone: 'neutral' };
    case 'STATE_IGNORED':
      return { label: 'Ignored', tone: 'neutral' };
    default:
      return { label: 'Unknown', tone: 'neutral' };
  }
}

/** What a push did to its ref: made it, moved it, removed it. */
export function pushVerb(event: Event): string {
  const { before = '', after = '', forced } = event.push ?? {};
  if (event.kind === 'KIND_MANUAL') return 'triggered by hand';
  if (event.kind === 'KIND_RECONCILED') return 'found without a webhook';
  if (/^0+$/.test(after)) return 'deleted';
  if (/^0+$/.test(before)) return 'created';
  return forced ? 'rewritten' : 'pushed';
}

/** The last commit's first line, as far as the provider told. */
export function headline(event: Event): string {
  const commits = event.push?.commits ?? [];
  const head = commits.find((commit) => commit.id === event.push?.after) ?? commits.at(-1);
  return (head?.message ?? '').split('\n', 1)[0]!;
}
