// What is known of a connection's or a token's validity, in words and tone.
import type { Connection, Provider } from '../api/types';
import type { Tone } from './build_state';
import { formatAgo, formatDate } from './format';

const SOON_MS = 14 * 86_400_000;

export function connectionLook(connection: Connection): { label: string; tone: Tone } {
  if (connection.state === 'STATE_INVALID') return { label: 'Token refused', tone: 'bad' };
  return connection.state === 'STATE_ACTIVE' ? { label: 'Active', tone: 'good' } : { label: 'Not verified', tone: 'neutral' };
}

/** When something ends; a warning in the last two weeks. */
export function expiryLook(time: string | undefined, now: number): { text: string; tone: Tone } {
  const at = Date.parse(time ?? '');
  if (Number.isNaN(at)) return { text: 'no expiry known', tone: 'neutral' };
  if (at <= now) return { text: `expired ${formatDate(time)}`, tone: 'bad' };
  return { text: `expires ${formatDate(time)} (${formatAgo(time, now)})`, tone: at - now < SOON_MS ? 'warn' : 'neutral' };
}

export const PROVIDERS: { value: Provider; label: string; url: string; user: string; scopes: string }[] = [
  { value: 'PROVIDER_GITHUB', label: 'GitHub', url: 'https://github.com', user: 'x-access-token', scopes: 'The scope repo (classic), or Contents: read (fine-grained).' },
  { value: 'PROVIDER_GITLAB', label: 'GitLab', url: 'https://gitlab.com', user: 'oauth2', scopes: 'The scope api, or read_repository.' },
  { value: 'PROVIDER_GENERIC_GIT', label: 'Other git server', url: '', user: 'git', scopes: 'A token or password that may read the repositories.' },
];

export function providerOf(provider: Provider | undefined) {
  return PROVIDERS.find((one) => one.value === provider) ?? PROVIDERS[2]!;
}
