// A build's timeline, drawn: one row per phase, bars on a common time axis, durations in words.
import type { Build } from '../api/types';
import { formatDuration } from '../model/format';
import { place, timelineOf } from '../model/timeline';

export function TimelineChart({ build, now }: { build: Build; now: number }) {
  const timeline = timelineOf(build, now);
  if (timeline.rows.every((row) => row.bars.length === 0)) return <p class="muted">Nothing has happened yet.</p>;
  return (
    <div class="timeline">
      <ol>
        {timeline.rows.map((row) => (
          <li key={row.lane} class={`lane-${row.lane.toLowerCase()}`}>
            <span class="lane-name">{row.lane}</span>
            <span class="lane-track" aria-hidden="true">
              {timeline.ticks.map((tick) => <span key={tick} class="grid-line" style={{ left: `${(tick / timeline.length) * 100}%` }} />)}
              {row.bars.map((bar) => {
                const { left, width } = place(bar, timeline.length);
                return <span key={bar.start} class={`bar ${bar.open ? 'open' : ''} ${bar.stopped ? 'stopped' : ''}`} style={{ left: `${left}%`, width: `${width}%` }} title={`${row.lane}: ${formatDuration(bar.end - bar.start)}`} />;
              })}
            </span>
            <span class="lane-total number">{row.bars.length > 0 ? formatDuration(row.total) : '–'}{row.bars.length > 1 && <span class="muted"> ×{row.bars.length}</span>}{row.bars.some((bar) => bar.stopped) && <span class="sr-only"> (ended here)</span>}</span>
          </li>
        ))}
      </ol>
      <div class="axis" aria-hidden="true">
        {timeline.ticks.map((tick) => <span key={tick} style={{ left: `${(tick / timeline.length) * 100}%` }}>{tick === 0 ? '0' : formatDuration(tick).replace('.0s', 's').replace(/ 00[sm]$/, '')}</span>)}
      </div>
    </div>
  );
}
