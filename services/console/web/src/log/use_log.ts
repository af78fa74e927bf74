// Feeds a LogModel from the server for as long as a component shows it, and draws at most once per frame.
import { useEffect, useMemo, useReducer, useState } from 'preact/hooks';
import { followLog, type StreamStatus } from '../api/streams';
import { LogModel } from './log_model';

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
    let frame = 0;
    const drawSoon = () => {
      if (frame === 0) {
        frame = requestAnimationFrame(() => {
          frame = 0;
          changed(0);
        });
      }
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
      cancelAnimationFrame(frame);
    };
  }, [buildId, attempt]);
  return { model, version, ...state };
}
