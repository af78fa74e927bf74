// Live data: server-sent events of builds and logs. A stream pauses while the page is hidden (browsers allow only six connections to one HTTP/1.1 server, for all
// tabs together), and reconnects with growing waits when the connection breaks.
import { call, currentProject, loadSession } from './client';
import type { Build } from './types';

export type StreamStatus = 'connecting' | 'live' | 'broken';

interface StreamOptions {
  /** The address to open now; asked again at every opening, so that it can carry where to resume. */
  url: () => string;
  /** What to do with each event; returning 'end' closes the stream for good, 'reopen' opens it again in a moment. */
  events: Record<string, (data: string) => 'end' | 'reopen' | void>;
  /** Told when the connection comes and goes. */
  onStatus?: (status: StreamStatus) => void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** The wait before the n-th reconnection (from 0), in milliseconds: doubling, with up to a quarter taken off by chance. */
export function reconnectWait(attempt: number, random: () => number = Math.random): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10)) * (1 - random() / 4);
}

/** Opens a stream. Returns a function that closes it. */
export function openStream(options: StreamOptions): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let failures = 0;
  let closed = false;

  const close = () => {
    source?.close();
    source = null;
    window.clearTimeout(timer);
  };
  const open = () => {
    close();
    if (closed || document.hidden) return;
    options.onStatus?.('connecting');
    const opened = new EventSource(options.url());
    source = opened;
    opened.onopen = () => options.onStatus?.('live');
    const lose = () => {
      close();
      options.onStatus?.('broken');
      timer = window.setTimeout(open, reconnectWait(failures++));
    };
    opened.onerror = () => {
      // An EventSource does not say why it failed; asking for the session tells whether it was the sign-in.
      if (failures > 0) void loadSession().catch(() => undefined);
      lose();
    };
    // What a service behind the backend said. A token that is void now ends the session: any call finds that out.
    opened.addEventListener('failed', (event) => {
      if (source !== opened) return;
      if ((event as MessageEvent<string>).data.includes('"UNAUTHENTICATED"')) void call('identity', 'GetCaller', { project: undefined }).catch(() => undefined);
      lose();
    });
    for (const [name, handle] of Object.entries(options.events)) {
      opened.addEventListener(name, (event) => {
        if (source !== opened) return;
        failures = 0;
        const wish = handle((event as MessageEvent<string>).data);
        if (wish === undefined) return;
        close();
        if (wish === 'end') closed = true;
        else timer = window.setTimeout(open, reconnectWait(failures++));
      });
    }
  };
  const onVisibility = () => {
    if (document.hidden) close();
    else if (!source) open();
  };
  document.addEventListener('visibilitychange', onVisibility);
  open();
  return () => {
    closed = true;
    document.removeEventListener('visibilitychange', onVisibility);
    close();
  };
}

function withProject(path: string, query: Record<string, string> = {}): string {
  const parameters = new URLSearchParams(query);
  if (currentProject()) parameters.set('project', currentProject());
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** Follows one build until it has ended. */
export function watchBuild(id: string, onBuild: (build: Build) => 'end' | void, onStatus?: (status: StreamStatus) => void): () => void {
  return openStream({
    url: () => withProject(`/api/v1/builds/${encodeURIComponent(id)}/events`),
    onStatus,
    events: {
      build: (data) => {
        const parsed = JSON.parse(data) as Build & { build?: Build };
        return onBuild(parsed.build ?? parsed);
      },
      end: () => 'reopen',
    },
  });
}

/** Is told whenever the newest page of builds changes; the new page comes along when the server sends it. */
export function watchBuilds(onBuilds: (builds: Build[] | null) => void, onStatus?: (status: StreamStatus) => void): () => void {
  return openStream({
    url: () => withProject('/api/v1/builds/events'),
    onStatus,
    events: {
      builds: (data) => {
        const parsed = (data ? JSON.parse(data) : {}) as { builds?: Build[] } | Build[];
        onBuilds(Array.isArray(parsed) ? parsed : (parsed.builds ?? null));
      },
    },
  });
}

interface LogChunk {
  attempt?: number;
  offset?: string | number;
  data?: string;
  end_of_attempt?: boolean;
  complete?: boolean;
}

/** What a log stream tells: bytes at an offset, and the end. */
export interface LogSink {
  /** The offset of the first byte that is missing; where to resume. */
  nextOffset(): number;
  /** Bytes that begin at `offset`; false = bytes before them are missing. */
  append(offset: number, data: Uint8Array): boolean;
  /** The attempt has ended; `complete` tells whether all that the agent wrote is there. */
  end(complete: boolean): void;
}

/** Reads an attempt's log from where the sink is, and follows it to its end. */
export function followLog(buildId: string, attempt: number, sink: LogSink, onStatus?: (status: StreamStatus) => void): () => void {
  return openStream({
    url: () =>
      withProject(`/api/v1/builds/${encodeURIComponent(buildId)}/log`, { attempt: String(attempt), offset: String(sink.nextOffset()), follow: '1' }),
    onStatus,
    events: {
      log: (data) => {
        const chunk = JSON.parse(data) as LogChunk;
        if (chunk.attempt && chunk.attempt !== attempt) return undefined;
        if (chunk.data && !sink.append(Number(chunk.offset ?? 0), bytesOfBase64(chunk.data))) return 'reopen';
        if (!chunk.end_of_attempt) return undefined;
        sink.end(chunk.complete ?? false);
        return 'end';
      },
      end: (data) => {
        const chunk = (data ? JSON.parse(data) : {}) as LogChunk;
        // The server is updated, or the stream became too old: the attempt goes on.
        if (chunk.end_of_attempt === false) return 'reopen';
        sink.end(chunk.complete ?? false);
        return 'end';
      },
    },
  });
}

/** Decodes base64 (with the standard or the URL alphabet) into bytes; by the browser's own decoder where it has one, which is many times as fast. */
export function bytesOfBase64(text: string): Uint8Array {
  const standard = /[-_]/.test(text) ? text.replace(/-/g, '+').replace(/_/g, '/') : text;
  const native = (Uint8Array as { fromBase64?: (text: string) => Uint8Array }).fromBase64;
  if (native) return native.call(Uint8Array, standard);
  const binary = atob(standard);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
