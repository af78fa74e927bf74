// Which pushes a rule builds, while it is in a form: every list is the text in its field, one pattern per line.
import type { Trigger } from '../api/types';
import { parsePatterns } from './checks';
import type { RefPatterns } from './patterns';

export interface TriggerDraft {
  branches: string;
  tags: string;
  excludeBranches: string;
  excludeTags: string;
  paths: string;
  excludePaths: string;
  authors: string;
  excludeAuthors: string;
  ignoreSkipMarks: boolean;
}

const lines = (patterns: string[] | undefined) => (patterns ?? []).join('\n');

export function triggerDraftOf(trigger: Trigger | undefined): TriggerDraft {
  return {
    branches: lines(trigger?.branches), tags: lines(trigger?.tags), excludeBranches: lines(trigger?.exclude_branches), excludeTags: lines(trigger?.exclude_tags),
    paths: lines(trigger?.paths), excludePaths: lines(trigger?.exclude_paths), authors: lines(trigger?.authors), excludeAuthors: lines(trigger?.exclude_authors),
    ignoreSkipMarks: trigger?.ignore_skip_marks ?? false,
  };
}

/** Names of people and paths may hold commas, so that only lines separate them. */
const parseLines = (text: string) => text.split('\n').map((line) => line.trim()).filter(Boolean);

export function triggerOf(draft: TriggerDraft): Trigger {
  return {
    branches: parsePatterns(draft.branches), tags: parsePatterns(draft.tags), exclude_branches: parsePatterns(draft.excludeBranches), exclude_tags: parsePatterns(draft.excludeTags),
    paths: parseLines(draft.paths), exclude_paths: parseLines(draft.excludePaths), authors: parseLines(draft.authors), exclude_authors: parseLines(draft.excludeAuthors),
    ignore_skip_marks: draft.ignoreSkipMarks,
  };
}

export function refPatternsOf(trigger: Trigger): RefPatterns {
  return { branches: trigger.branches ?? [], tags: trigger.tags ?? [], excludeBranches: trigger.exclude_branches ?? [], excludeTags: trigger.exclude_tags ?? [] };
}

/** Whether something narrows the pushes that the patterns of refs match. */
export function isNarrowed(trigger: Trigger | undefined): boolean {
  return [trigger?.exclude_branches, trigger?.exclude_tags, trigger?.paths, trigger?.exclude_paths, trigger?.authors, trigger?.exclude_authors].some((patterns) => (patterns ?? []).length > 0) || (trigger?.ignore_skip_marks ?? false);
}

/** Which field of the draft a field path of the API is about (`rule.trigger.paths[0]`), or ''. */
export function triggerFieldOf(path: string): keyof TriggerDraft | '' {
  const name = /(?:^|\.)trigger\.([a-z_]+)/.exec(path)?.[1]?.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) ?? '';
  return name in triggerDraftOf(undefined) ? (name as keyof TriggerDraft) : '';
}
