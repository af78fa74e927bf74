// How the app talks to the console's backend: JSON over same-origin fetch, with the session's CSRF token. It owns the session and the chosen project.
import { ApiError, errorFromAnswer, toApiError } from './errors';
import type { Session, Upload, UploadFormat } from './types';

export type Service = 'registry' | 'identity' | 'rules' | 'scheduler';

/** Longest wait for an answer of a unary call. */
const CALL_TIMEOUT_MS = 30_000;

type SessionListener = (session: Session | null) => void;

let session: Session | null = null;
let project = '';
const listeners = new Set<SessionListener>();

/** The session, or null when nobody is signed in. */
export function currentSession(): Session | null {
  return session;
}

/** Calls the listener whenever somebody signs in or out, or the session ends. Returns a function that stops it. */
export function onSessionChange(listener: SessionListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function setSession(next: Session | null): void {
  session = next;
  for (const listener of listeners) listener(next);
}

/** Chooses the project that calls are about; empty = the token's own. Only a token of all projects may choose another. */
export function setProject(name: string): void {
  project = name;
}

/** The project that calls are about; empty = the token's own. */
export function currentProject(): string {
  return project;
}

async function send(path: string, init: RequestInit, timeoutMs: number): Promise<unknown> {
  const headers = new Headers(init.headers);
  headers.set('Accept', 'application/json');
  if (init.method !== 'GET' && session) headers.set('X-CSRF-Token', session.csrf_token);
  const timeout = timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined;
  const signals = [init.signal, timeout].filter((signal): signal is AbortSignal => signal != null);
  let response: Response;
  let body: string;
  try {
    response = await fetch(path, { ...init, headers, credentials: 'same-origin', cache: 'no-store', signal: signals.length > 0 ? AbortSignal.any(signals) : null });
    body = await response.text();
  } catch (thrown) {
    if (timeout?.aborted) throw new ApiError('DEADLINE_EXCEEDED', 'The console’s server did not answer in time.');
    throw thrown instanceof DOMException && thrown.name === 'AbortError' ? thrown : toApiError(thrown);
  }
  if (!response.ok) {
    const error = errorFromAnswer(response.status, body);
    if (response.status === 401 && session) setSession(null);
    throw error;
  }
  try {
    return body === '' ? {} : JSON.parse(body);
  } catch {
    throw new ApiError('UNEXPECTED', 'The server’s answer is not JSON; something between the browser and the console changed it.');
  }
}

/** Calls one method of a service. The chosen project is added unless the request names one. */
export async function call<Response>(service: Service, method: string, request: object = {}, signal?: AbortSignal): Promise<Response> {
  const body = project && !('project' in request) ? { project, ...request } : request;
  const init: RequestInit = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal: signal ?? null };
  return (await send(`/api/v1/${service}/${method}`, init, CALL_TIMEOUT_MS)) as Response;
}

/** Sends a file or text as an uploaded context. */
export async function upload(format: UploadFormat, fileName: string, content: Blob, signal?: AbortSignal): Promise<Upload> {
  const query = new URLSearchParams({ format, file_name: fileName });
  if (project) query.set('project', project);
  const init: RequestInit = { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body: content, signal: signal ?? null };
  const answer = (await send(`/api/v1/uploads?${query}`, init, 0)) as Upload & { upload?: Upload };
  return answer.upload ?? answer;
}

/** Looks whether the browser has a session already. Returns null when it has none. */
export async function loadSession(): Promise<Session | null> {
  const found = (await send('/api/v1/session', { method: 'GET' }, CALL_TIMEOUT_MS)) as Partial<Session>;
  setSession(found.csrf_token ? (found as Session) : null);
  return session;
}

/** Signs in with an API token, or with the code of a one-time link. */
export async function signIn(credential: { token: string } | { code: string }): Promise<Session> {
  const init: RequestInit = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(credential) };
  const made = (await send('/api/v1/session', init, CALL_TIMEOUT_MS)) as Session;
  setSession(made);
  return made;
}

/** Ends the session, here and on the server. */
export async function signOut(): Promise<void> {
  try {
    await send('/api/v1/session', { method: 'DELETE' }, CALL_TIMEOUT_MS);
  } finally {
    setSession(null);
  }
}

/** Whether the person may do what needs this role. */
export function mayAct(role: 'developer' | 'admin'): boolean {
  const mine = session?.caller.role;
  return mine === 'ROLE_ADMIN' || (role === 'developer' && mine === 'ROLE_DEVELOPER');
}
