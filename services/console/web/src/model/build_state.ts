// What a build's state means for people: words, tone, and how far along it is.
import type { Build, BuildAttempt, BuildState } from '../api/types';

export type Tone = 'neutral' | 'waiting' | 'active' | 'good' | 'bad' | 'warn';

interface StateLook {
  label: string;
  tone: Tone;
  ended: boolean;
}

const LOOKS: Record<BuildState, StateLook> = {
  BUILD_STATE_UNSPECIFIED: { label: 'Unknown', tone: 'neutral', ended: false },
  BUILD_STATE_QUEUED: { label: 'Queued', tone: 'waiting', ended: false },
  BUILD_STATE_HELD: { label: 'Held', tone: 'waiting', ended: false },
  BUILD_STATE_RUNNING: { label: 'Running', tone: 'active', ended: false },
  BUILD_STATE_PUBLISHING: { label: 'Publishing', tone: 'active', ended: false },
  BUILD_STATE_SUCCEEDED: { label: 'Succeeded', tone: 'good', ended: true },
  BUILD_STATE_FAILED: { label: 'Failed', tone: 'bad', ended: true },
  BUILD_STATE_TIMED_OUT: { label: 'Timed out', tone: 'bad', ended: true },
  BUILD_STATE_CANCELLED: { label: 'Cancelled', tone: 'neutral', ended: true },
  BUILD_STATE_SUPERSEDED: { label: 'Superseded', tone: 'neutral', ended: true },
};

export function lookOf(state: BuildState | undefined): StateLook {
  return LOOKS[state ?? 'BUILD_STATE_UNSPECIFIED'] ?? LOOKS.BUILD_STATE_UNSPECIFIED;
}

/** What a build does now, for a list: its state, its phase while it runs, or that it is being cancelled. */
export function describe(build: Build): string {
  const look = lookOf(build.state);
  if (build.cancel_requested && !look.ended) return 'Cancelling';
  if (build.state !== 'BUILD_STATE_RUNNING') return look.label;
  switch (build.phase) {
    case 'BUILD_PHASE_FETCHING':
      return 'Fetching';
    case 'BUILD_PHASE_BUILDING':
      return 'Building';
    case 'BUILD_PHASE_PUSHING':
      return 'Pushing';
    default:
      return look.label;
  }
}

/** The groups that the list of builds can be narrowed to. */
export const STATE_FILTERS: { key: string; label: string; states: BuildState[] }[] = [
  { key: '', label: 'All', states: [] },
  { key: 'active', label: 'Active', states: ['BUILD_STATE_QUEUED', 'BUILD_STATE_HELD', 'BUILD_STATE_RUNNING', 'BUILD_STATE_PUBLISHING'] },
  { key: 'succeeded', label: 'Succeeded', states: ['BUILD_STATE_SUCCEEDED'] },
  { key: 'failed', label: 'Failed', states: ['BUILD_STATE_FAILED', 'BUILD_STATE_TIMED_OUT'] },
  { key: 'other', label: 'Cancelled or superseded', states: ['BUILD_STATE_CANCELLED', 'BUILD_STATE_SUPERSEDED'] },
];

export type StepState = 'todo' | 'now' | 'done' | 'stopped';
export const STEP_NAMES = ['Fetch', 'Build', 'Push', 'Publish'] as const;

/** The four steps of a build at a glance. A build that ended without success stopped in its last known step; with none known, in the first. */
export function stepsOf(build: Build): StepState[] {
  const at = (index: number, here: StepState): StepState[] => STEP_NAMES.map((_, i) => (i < index ? 'done' : i === index ? here : 'todo'));
  const phase = { BUILD_PHASE_UNSPECIFIED: 0, BUILD_PHASE_FETCHING: 0, BUILD_PHASE_BUILDING: 1, BUILD_PHASE_PUSHING: 2 }[build.phase ?? 'BUILD_PHASE_UNSPECIFIED'] ?? 0;
  switch (build.state) {
    case 'BUILD_STATE_RUNNING':
      return at(phase, 'now');
    case 'BUILD_STATE_PUBLISHING':
      return at(3, 'now');
    case 'BUILD_STATE_SUCCEEDED':
    case 'BUILD_STATE_SUPERSEDED':
      return at(4, 'done');
    case 'BUILD_STATE_FAILED':
    case 'BUILD_STATE_TIMED_OUT':
      return at(build.image_digest ? 3 : phase, 'stopped');
    case 'BUILD_STATE_CANCELLED':
      return build.start_time ? at(phase, 'stopped') : at(0, 'todo');
    default:
      return at(0, 'todo');
  }
}

/** How long a build ran, or has run until now, in milliseconds; null when it has not begun. */
export function runTime(build: Build, now: number): number | null {
  const start = Date.parse(build.start_time ?? '');
  if (Number.isNaN(start)) return null;
  const end = Date.parse(build.end_time ?? '');
  return Math.max(0, (Number.isNaN(end) ? now : end) - start);
}

/** The image as one can pull it: by its first tag that was set (or its id), and by its digest. Null before it was pushed. */
export function imageReferences(build: Build): { byTag: string; byDigest: string } | null {
  const repository = build.spec?.destination?.repository;
  if (!repository || !build.image_digest) return null;
  const tag = build.tag_results?.find((result) => result.set)?.tag ?? build.id ?? '';
  return { byTag: `${repository}:${tag}`, byDigest: `${repository}@${build.image_digest}` };
}

/** What is built, for a list: the repository, or the upload. */
export function sourceName(build: Build): string {
  return build.spec?.git?.repository || (build.spec?.upload ? 'Upload' : '–');
}

export function outcomeLabel(attempt: BuildAttempt): { label: string; tone: Tone } {
  switch (attempt.outcome) {
    case 'OUTCOME_SUCCEEDED':
      return { label: 'succeeded', tone: 'good' };
    case 'OUTCOME_FAILED':
      return { label: 'failed', tone: 'bad' };
    case 'OUTCOME_CANCELLED':
      return { label: 'cancelled', tone: 'neutral' };
    case 'OUTCOME_TIMED_OUT':
      return { label: 'timed out', tone: 'bad' };
    case 'OUTCOME_LOST':
      return { label: 'agent lost', tone: 'warn' };
    default:
      return attempt.end_time ? { label: 'ended', tone: 'neutral' } : { label: 'running', tone: 'active' };
  }
}
