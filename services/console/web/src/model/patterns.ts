// The rules' ref patterns, as far as a browser can try them: for the preview of a form only. The rule-engine decides what really matches.

/** A pattern as a regular expression over full refs, or why it cannot be one. `kind` says where names and globs live. */
export function compilePattern(pattern: string, kind: 'branch' | 'tag'): { test: (ref: string) => boolean } | { problem: string } {
  const prefix = kind === 'branch' ? 'refs/heads/' : 'refs/tags/';
  if (pattern.startsWith('re:')) {
    try {
      const expression = new RegExp(`^(?:${pattern.slice(3)})$`, 'u');
      return { test: (ref) => ref.startsWith(prefix) && expression.test(ref) };
    } catch {
      // RE2 knows forms that a browser does not (such as (?i)); the server has the last word.
      return { problem: 'this browser cannot try the expression' };
    }
  }
  const full = pattern.startsWith('refs/') ? pattern : prefix + pattern;
  let source = '';
  for (let i = 0; i < full.length; i++) {
    const c = full[i]!;
    if (c === '*' && full[i + 1] === '*') {
      source += '.*';
      i++;
    } else if (c === '*') source += '[^/]*';
    else if (c === '?') source += '[^/]';
    else source += c.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
  }
  const expression = new RegExp(`^${source}$`, 's');
  return { test: (ref) => expression.test(ref) };
}

/** Patterns of refs: those that build, and those that do not although they match. */
export interface RefPatterns {
  branches: string[];
  tags: string[];
  excludeBranches?: string[];
  excludeTags?: string[];
}

/** The refs that one of the patterns matches and none excludes. */
export function matchingRefs(refs: string[], { branches, tags, excludeBranches = [], excludeTags = [] }: RefPatterns): string[] {
  const matches = (branchPatterns: string[], tagPatterns: string[]) => {
    const tests = [...branchPatterns.map((pattern) => compilePattern(pattern, 'branch')), ...tagPatterns.map((pattern) => compilePattern(pattern, 'tag'))];
    return (ref: string) => tests.some((compiled) => 'test' in compiled && compiled.test(ref));
  };
  const [wanted, excluded] = [matches(branches, tags), matches(excludeBranches, excludeTags)];
  return refs.filter((ref) => wanted(ref) && !excluded(ref));
}

/** Refs to preview tags with: the default branch, a matching branch, and matching tags, at most `limit`; without matches, what there is. */
export function sampleRefs(refs: string[], defaultBranch: string, patterns: RefPatterns, limit = 4): string[] {
  const matching = matchingRefs(refs, patterns);
  const pool = matching.length > 0 ? matching : [defaultBranch, ...refs];
  const newestTags = pool.filter((ref) => ref.startsWith('refs/tags/')).reverse();
  const heads = pool.filter((ref) => ref.startsWith('refs/heads/')).sort((a, b) => Number(b === defaultBranch) - Number(a === defaultBranch));
  const wantedTags = Math.min(newestTags.length, Math.max(limit - heads.length, Math.floor(limit / 2)));
  return [...new Set([...heads.slice(0, limit - wantedTags), ...newestTags.slice(0, wantedTags)])].filter(Boolean);
}
