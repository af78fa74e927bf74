// A build's life as bars on a time axis, from its transitions.
import type { Build, BuildTransition } from '../api/types';

export const LANES = ['Queue', 'Fetch', 'Build', 'Push', 'Publish'] as const;
export type Lane = (typeof LANES)[number];

export interface Bar {
  /** Milliseconds since the build was made. */
  readonly start: number;
  readonly end: number;
  /** Whether it is still growing. */
  readonly open: boolean;
  /** Whether the build ended in it, other than by success. */
  readonly stopped: boolean;
}

export interface TimelineRow {
  readonly lane: Lane;
  readonly bars: Bar[];
  /** Milliseconds of all its bars together. */
  readonly total: number;
}

export interface Timeline {
  readonly rows: TimelineRow[];
  /** Milliseconds that the axis is long; at least 1. */
  readonly length: number;
  readonly ticks: number[];
}

function laneOf(transition: BuildTransition): Lane | null {
  switch (transition.state) {
    case 'BUILD_STATE_QUEUED':
    case 'BUILD_STATE_HELD':
      return 'Queue';
    case 'BUILD_STATE_RUNNING':
      if (transition.phase === 'BUILD_PHASE_BUILDING') return 'Build';
      return transition.phase === 'BUILD_PHASE_PUSHING' ? 'Push' : 'Fetch';
    case 'BUILD_STATE_PUBLISHING':
      return 'Publish';
    default:
      return null;
  }
}

/** The timeline at a moment (`now`: milliseconds since the epoch, for what has not ended). */
export function timelineOf(build: Build, now: number): Timeline {
  const moments = (build.transitions ?? [])
    .map((transition) => ({ transition, at: Date.parse(transition.time ?? '') }))
    .filter((moment) => !Number.isNaN(moment.at))
    .sort((a, b) => a.at - b.at);
  const origin = Math.min(Date.parse(build.create_time ?? '') || Infinity, moments[0]?.at ?? Infinity);
  const bars: Record<Lane, Bar[]> = { Queue: [], Fetch: [], Build: [], Push: [], Publish: [] };
  let length = 0;
  moments.forEach((moment, index) => {
    const lane = laneOf(moment.transition);
    length = Math.max(length, moment.at - origin);
    if (!lane) return;
    const following = moments[index + 1];
    const start = moment.at - origin;
    const end = Math.max(start, (following ? following.at : now) - origin);
    length = Math.max(length, end);
    const final = following?.transition.state;
    const stopped = final === 'BUILD_STATE_FAILED' || final === 'BUILD_STATE_TIMED_OUT' || final === 'BUILD_STATE_CANCELLED';
    const before = bars[lane].at(-1);
    if (before && before.end === start && !before.stopped) bars[lane].pop();
    bars[lane].push({ start: before && before.end === start && !before.stopped ? before.start : start, end, open: !following, stopped });
  });
  length = Math.max(1, length);
  const rows = LANES.map((lane) => ({ lane, bars: bars[lane], total: bars[lane].reduce((sum, bar) => sum + bar.end - bar.start, 0) }));
  return { rows, length, ticks: ticksOf(length) };
}

const STEPS = [100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000, 86_400_000];

/** Round moments for an axis of this length (milliseconds): from 0, at most six. */
export function ticksOf(length: number): number[] {
  const step = STEPS.find((candidate) => length / candidate <= 5) ?? Math.ceil(length / 5 / 86_400_000) * 86_400_000;
  const ticks: number[] = [];
  for (let at = 0; at <= length; at += step) ticks.push(at);
  return ticks;
}

/** A bar's place on the axis in percent; a bar too short to be seen gets a width of 0.4. */
export function place(bar: Bar, length: number): { left: number; width: number } {
  const left = Math.min(99.6, (bar.start / length) * 100);
  return { left, width: Math.min(100 - left, Math.max(0.4, ((bar.end - bar.start) / length) * 100)) };
}
