import { describe, expect, it } from 'vitest';
import type { Build } from '../api/types';
import { place, ticksOf, timelineOf } from './timeline';

const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000).toISOString();
const moment = (state: string, phase: string, seconds: number) => ({ state: `BUILD_STATE_${state}`, phase: `BUILD_PHASE_${phase}`, time: at(seconds) }) as NonNullable<Build['transitions']>[number];

describe('a timeline', () => {
  it('has a bar for each phase, from the moment that the build was made', () => {
    const build: Build = {
      create_time: at(0),
      transitions: [moment('QUEUED', 'UNSPECIFIED', 0), moment('RUNNING', 'FETCHING', 5), moment('RUNNING', 'BUILDING', 10), moment('RUNNING', 'PUSHING', 60), moment('PUBLISHING', 'UNSPECIFIED', 70), moment('SUCCEEDED', 'UNSPECIFIED', 72)],
    };
    const timeline = timelineOf(build, Date.parse(at(500)));
    expect(timeline.length).toBe(72_000);
    expect(timeline.rows.map((row) => row.total)).toEqual([5000, 5000, 50_000, 10_000, 2000]);
    expect(timeline.rows[2]!.bars).toEqual([{ start: 10_000, end: 60_000, open: false, stopped: false }]);
  });
  it('grows until now while the build runs', () => {
    const timeline = timelineOf({ create_time: at(0), transitions: [moment('QUEUED', 'UNSPECIFIED', 0), moment('RUNNING', 'UNSPECIFIED', 4)] }, Date.parse(at(9)));
    expect(timeline.rows[1]!.bars).toEqual([{ start: 4000, end: 9000, open: true, stopped: false }]);
  });
  it('shows a second attempt as a second bar and where the build ended', () => {
    const build: Build = {
      create_time: at(0),
      transitions: [moment('QUEUED', 'UNSPECIFIED', 0), moment('RUNNING', 'BUILDING', 5), moment('QUEUED', 'UNSPECIFIED', 20), moment('RUNNING', 'BUILDING', 30), moment('FAILED', 'UNSPECIFIED', 50)],
    };
    const [queue, , building] = timelineOf(build, 0).rows;
    expect(queue!.bars).toHaveLength(2);
    expect(building!.bars.map((bar) => bar.stopped)).toEqual([false, true]);
    expect(building!.total).toBe(35_000);
  });
  it('joins transitions of the same phase', () => {
    const timeline = timelineOf({ create_time: at(0), transitions: [moment('RUNNING', 'UNSPECIFIED', 0), moment('RUNNING', 'FETCHING', 1), moment('RUNNING', 'BUILDING', 3)] }, Date.parse(at(4)));
    expect(timeline.rows[1]!.bars).toEqual([{ start: 0, end: 3000, open: false, stopped: false }]);
  });
  it('is empty, not broken, without transitions or with bad times', () => {
    expect(timelineOf({}, 0).rows.every((row) => row.bars.length === 0)).toBe(true);
    expect(timelineOf({ transitions: [{ state: 'BUILD_STATE_QUEUED', time: 'never' }] }, 0).length).toBe(1);
  });
  it('never has more than six ticks, nor a bar that cannot be seen', () => {
    for (const length of [1, 90, 4000, 61_000, 3_700_000, 90_000_000, 9e9]) expect(ticksOf(length).length).toBeLessThanOrEqual(6);
    expect(place({ start: 100_000, end: 100_000, open: false, stopped: false }, 100_000)).toEqual({ left: 99.6, width: 0.4 });
  });
});
