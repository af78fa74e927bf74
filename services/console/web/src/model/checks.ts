// What a form can tell about a value before it is sent. The services check everything again and more; these say it at once, in the same terms. Each check returns
// '' when the value is fine.

export function checkName(value: string): string {
  if (value.trim() === '') return 'Give it a name.';
  return value.length > 100 ? 'At most 100 characters.' : '';
}

/** `owner/name`, or a longer path, below a connection's URL. */
export function checkRepository(value: string): string {
  if (value === '') return 'Type the repository’s path, for example team/app.';
  if (/^[a-z]+:\/\//i.test(value)) return 'Without the server: only the path below the connection’s URL, for example team/app.';
  if (value.startsWith('/') || value.endsWith('/')) return 'Without a slash at its start or end.';
  if (value.endsWith('.git')) return 'Without .git at the end.';
  if (!/^[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/.test(value) || value.split('/').some((part) => part === '.' || part === '..')) {
    return 'Letters, digits and . _ - with slashes between, for example team/app.';
  }
  return '';
}

/** A path that must stay in the repository; empty = the default. */
export function checkPath(value: string): string {
  if (value === '') return '';
  if (value.startsWith('/')) return 'Relative to the repository’s root: without a slash at its start.';
  let depth = 0;
  for (const part of value.split('/')) {
    depth += part === '..' ? -1 : part === '' || part === '.' ? 0 : 1;
    if (depth < 0) return 'This path leaves the repository.';
  }
  return '';
}

const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;

/** `registry/repository` without a tag. */
export function checkDestination(value: string): string {
  if (value === '') return 'Type where the image goes, for example registry.example.com/team/app.';
  if (/^[a-z]+:\/\//i.test(value)) return 'Without https://.';
  if (value.includes('@')) return 'Without a digest: Davit adds it.';
  const [host = '', ...path] = value.split('/');
  if (path.length === 0 || path.every((part) => part === '')) return 'Registry and repository, for example registry.example.com/team/app.';
  if (path.at(-1)!.includes(':')) return 'Without a tag: tags are set below.';
  if (!HOST.test(host)) return 'The part before the first slash must be the registry’s host, with its port if it has one.';
  if (!path.every((part) => COMPONENT.test(part))) return 'A repository’s name has lower-case letters, digits and single . _ - between them.';
  return '';
}

/** A tag of an image. */
export function checkTag(value: string): string {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(value) ? '' : `“${value}”: letters, digits, . _ - and at most 128 of them; not . or - first.`;
}

export function checkTags(tags: string[]): string {
  if (tags.length > 20) return 'At most 20 tags.';
  return tags.map(checkTag).find(Boolean) ?? '';
}

const PLACEHOLDER = /\{(?:(?:branch|tag|ref)(?::\d{1,3})?|number|commit(?::(\d{1,2}))?|time(?::[^{}@]+)?(?:@[A-Za-z0-9_+/-]+)?)\}/g;

/** A rule's tag templates. */
export function checkTemplates(templates: string[]): string {
  if (templates.length === 0) return 'At least one, for example {commit:7} or latest.';
  if (templates.length > 10) return 'At most 10.';
  for (const template of templates) {
    for (const match of template.matchAll(PLACEHOLDER)) {
      const digits = match[1] === undefined ? 7 : Number(match[1]);
      if (digits < 4 || digits > 40) return `“${template}”: {commit:N} takes 4 to 40 digits.`;
    }
    if (/[{}]/.test(template.replace(PLACEHOLDER, ''))) {
      return `“${template}”: known are {branch}, {tag}, {ref}, {commit}, {commit:7}, {number}, {time} and {time:%Y%m%d}.`;
    }
  }
  return '';
}

/** Lines `NAME=value` of build arguments or labels. */
export function parsePairs(text: string, kind: 'argument' | 'label'): { pairs: Record<string, string>; problem: string } {
  const pairs: Record<string, string> = {};
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean);
  for (const line of lines) {
    const split = line.indexOf('=');
    const name = split < 0 ? line : line.slice(0, split);
    if (split < 0) return { pairs, problem: `“${line}”: write NAME=value.` };
    if (kind === 'argument' && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      return { pairs, problem: `“${name}”: a name has letters, digits and _, and no digit first.` };
    }
    if (name === '') return { pairs, problem: `“${line}”: the name is missing.` };
    if (name in pairs) return { pairs, problem: `“${name}” is there twice.` };
    pairs[name] = line.slice(split + 1);
  }
  return Object.keys(pairs).length > 100 ? { pairs, problem: 'At most 100.' } : { pairs, problem: '' };
}

/** Pairs as lines, sorted. */
export function formatPairs(pairs: Record<string, string> | undefined): string {
  return Object.entries(pairs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${value}`).join('\n');
}

/** The values of a list field: one per line, or with commas between; empty ones left out. */
export function parseList(text: string): string[] {
  return text.split(/\n|,(?![^{]*\})/).map((item) => item.trim()).filter(Boolean);
}

/** As parseList, for patterns: `re:` expressions may hold commas, so only lines separate. */
export function parsePatterns(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.trim().startsWith('re:') ? [line.trim()] : parseList(line))).filter(Boolean);
}

export function checkTimeout(minutes: string): string {
  if (minutes.trim() === '') return '';
  return /^\d+$/.test(minutes.trim()) && Number(minutes) >= 1 && Number(minutes) <= 1440 ? '' : 'Whole minutes, 1 to 1440; empty = 60.';
}

export function checkUrl(value: string): string {
  if (value === '') return '';
  try {
    const url = new URL(value);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'An address that begins with https://.';
    if (url.username || url.password) return 'Without a user name or password: the token goes below.';
    return '';
  } catch {
    return 'A whole address, for example https://git.example.com.';
  }
}
