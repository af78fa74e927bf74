// Feeds a LogModel from the server for as long as a component shows it, and draws a few times a second at most.
import { useEffect, useMemo, useReducer, useState } from 'preact/hooks';
import { followLog, type StreamStatus } from '../api/streams';
import { LogModel } from './log_model';

/** Measuring 100,000 lines anew for every chunk that comes in would take longer than reading them. */
const DRAW_EVERY_MS = 100;

export interface Log {
  model: LogModel;
  version: number;
  status: StreamStatus | 'ended';
  /** Once ended: whether all that the agent wrote is there. */
  complete: boolean;
}

/** An attempt's log; `attempt` 0 = none yet. */
export function useLog(buildId: string, attempt: number): Log {
  const model = useMemo(() => new LogModel(), [buildId, attempt]);
  const [version, changed] = useReducer((n: number) => n + 1, 0);
  const [state, setState] = useState<{ status: Log['status']; complete: boolean }>({ status: 'connecting', complete: false });
  useEffect(() => {
    if (!buildId || attempt <= 0) return undefined;
    setState({ status: 'connecting', complete: false });
    let timer = 0;
    let drawn = -Infinity;
    const drawSoon = () => {
      if (timer !== 0) return;
      timer = window.setTimeout(() => {
        timer = 0;
        drawn = performance.now();
        changed(0);
      }, Math.max(0, drawn + DRAW_EVERY_MS - performance.now()));
    };
    let ended = false;
    const close = followLog(
      buildId,
      attempt,
      {
        nextOffset: () => model.nextOffset,
        append: (offset, data) => {
          const taken = model.append(offset, data);
          if (taken) drawSoon();
          return taken;
        },
        end: (complete) => {
          ended = true;
          model.end();
          drawSoon();
          setState({ status: 'ended', complete });
        },
      },
      (status) => {
        if (!ended) setState({ status, complete: false });
      },
    );
    return () => {
      close();
      window.clearTimeout(timer);
    };
  }, [buildId, attempt]);
  return { model, version, ...state };
}
