// How numbers, times, ids and refs read. Pure; the time now is a parameter.

/** A duration for people: `0.4s`, `12s`, `3m 07s`, `2h 05m`, `3d 4h`. */
export function formatDuration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return '–';
  if (milliseconds < 9_950) return `${(milliseconds / 1000).toFixed(1)}s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds}s`;
  const pad = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${pad(Math.floor(seconds / 60) % 60)}m`;
  return `${Math.floor(seconds / 86_400)}d ${Math.floor(seconds / 3600) % 24}h`;
}

/** How long ago a time was, coarsely: `just now`, `5 min ago`, `3 h ago`, `yesterday`-like days, then the date. A time ahead reads `in 5 min`. */
export function formatAgo(time: string | undefined, now: number): string {
  const at = Date.parse(time ?? '');
  if (Number.isNaN(at)) return '–';
  const distance = Math.abs(now - at);
  const ahead = at > now;
  const say = (text: string) => (ahead ? `in ${text}` : `${text} ago`);
  if (distance < 45_000) return ahead ? 'in a moment' : 'just now';
  if (distance < 45 * 60_000) return say(`${Math.max(1, Math.round(distance / 60_000))} min`);
  if (distance < 22 * 3_600_000) return say(`${Math.max(1, Math.round(distance / 3_600_000))} h`);
  if (distance < 26 * 86_400_000) return say(plural(Math.max(1, Math.round(distance / 86_400_000)), 'day'));
  return formatDate(time);
}

/** The local date and time, to the second, in a form that sorts: `2026-11-23 07:10:05`. */
export function formatTime(time: string | undefined): string {
  const at = new Date(time ?? '');
  if (Number.isNaN(at.getTime())) return '–';
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${formatDate(time)} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** The local date: `2026-11-23`. */
export function formatDate(time: string | undefined): string {
  const at = new Date(time ?? '');
  if (Number.isNaN(at.getTime())) return '–';
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

/** Bytes for people: `812 B`, `4.2 KiB`, `17 MiB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) return '–';
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `1 rule`, `2 rules`, `1,204 lines`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : many}`;
}

/** A ref as people say it, and what kind it is. */
export function shortRef(ref: string | undefined): { kind: 'branch' | 'tag' | 'ref' | 'none'; name: string } {
  if (!ref) return { kind: 'none', name: '' };
  if (ref.startsWith('refs/heads/')) return { kind: 'branch', name: ref.slice('refs/heads/'.length) };
  if (ref.startsWith('refs/tags/')) return { kind: 'tag', name: ref.slice('refs/tags/'.length) };
  return { kind: 'ref', name: ref };
}

/** The first digits of a commit. */
export function shortCommit(commit: string | undefined): string {
  return (commit ?? '').slice(0, 9);
}

/** An id short enough for a table: its prefix and its last digits, which differ most. */
export function shortId(id: string | undefined): string {
  if (!id) return '–';
  return id.length > 14 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id;
}

/** A duration in protobuf's JSON (`5400s`) in whole minutes; 0 when unset. */
export function minutesOfDuration(duration: string | undefined): number {
  const match = /^(\d+(?:\.\d+)?)s$/.exec(duration ?? '');
  return match ? Math.round(Number(match[1]) / 60) : 0;
}
