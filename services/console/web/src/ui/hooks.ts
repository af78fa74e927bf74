// Loading, time and announcements for components.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type ApiError, isTransient, toApiError } from '../api/errors';

export interface Query<Value> {
  value: Value | undefined;
  error: ApiError | undefined;
  loading: boolean;
  /** Loads again; what is shown stays until the answer is there. */
  reload: () => void;
  /** Replaces the value, for answers that came another way. */
  set: (value: Value) => void;
}

const RETRY_MS = 5000;

/** Loads a value when the component appears and whenever `key` changes. Errors that may pass by themselves are tried again every few seconds. */
export function useQuery<Value>(key: string, load: (signal: AbortSignal) => Promise<Value>): Query<Value> {
  const [state, setState] = useState<{ key: string; value?: Value; error?: ApiError; loading: boolean }>({ key, loading: true });
  const [turn, setTurn] = useState(0);
  const loader = useRef(load);
  loader.current = load;
  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    setState((before) => (before.key === key ? { ...before, loading: true } : { key, loading: true }));
    loader.current(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ key, value, loading: false });
      },
      (thrown: unknown) => {
        if (controller.signal.aborted) return;
        const error = toApiError(thrown);
        setState((before) => ({ key, value: before.key === key ? before.value : undefined, error, loading: false }));
        if (isTransient(error.code)) timer = window.setTimeout(() => setTurn((n) => n + 1), RETRY_MS);
      },
    );
    return () => {
      controller.abort();
      window.clearTimeout(timer);
    };
  }, [key, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const set = useCallback((value: Value) => setState({ key, value, loading: false }), [key]);
  const mine = state.key === key ? state : { loading: true, value: undefined, error: undefined };
  return { value: mine.value, error: mine.error, loading: mine.loading, reload, set };
}

/** The time now, in milliseconds since the epoch; renders again every `interval` milliseconds (0 = never). */
export function useNow(interval: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (interval === 0) return undefined;
    setNow(Date.now());
    const timer = window.setInterval(() => setNow(Date.now()), interval);
    return () => window.clearInterval(timer);
  }, [interval]);
  return interval === 0 ? Date.now() : now;
}

/** Names the document after the page. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Davit` : 'Davit';
  }, [title]);
}

type Announcer = (text: string) => void;
let announcer: Announcer = () => undefined;

/** Where announcements go; set once by the page's live region. */
export function setAnnouncer(next: Announcer): void {
  announcer = next;
}

/** Says something to people who do not see the page. */
export function announce(text: string): void {
  announcer(text);
}

/** Says that a form cannot be sent yet, and goes to the first field that is wrong. */
export function refuseForm(): void {
  announce('Some fields need to be corrected.');
  setTimeout(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), 50);
}

/** An action that runs at most once at a time, with its error. */
export function useAction<Args extends unknown[]>(act: (...args: Args) => Promise<void>): {
  run: (...args: Args) => Promise<void>;
  busy: boolean;
  error: ApiError | undefined;
  clear: () => void;
} {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const latest = useRef(act);
  latest.current = act;
  const running = useRef(false);
  const run = useCallback(async (...args: Args) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(undefined);
    try {
      await latest.current(...args);
    } catch (thrown) {
      setError(toApiError(thrown));
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setError(undefined), []);
  return { run, busy, error, clear };
}
