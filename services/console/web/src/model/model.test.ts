import { describe, expect, it } from 'vitest';
import type { Build } from '../api/types';
import { imageReferences, runTime, stepsOf } from './build_state';
import { checkDestination, checkPath, checkRepository, checkTags, checkTemplates, checkTimeout, parseList, parsePairs, parsePatterns } from './checks';
import { expiryLook } from './connection_state';
import { formatAgo, formatBytes, formatDuration, plural, shortRef } from './format';
import { matchingRefs, sampleRefs } from './patterns';
import { draftFieldOf, draftOf, recipeOf } from './recipe_draft';
import { isNarrowed, triggerDraftOf, triggerFieldOf, triggerOf } from './trigger_draft';
import { formatOfFile } from './upload_format';

describe('formats', () => {
  it('says durations as people do', () => {
    expect([400, 9900, 12_400, 187_000, 7_500_000, 273_600_000, -1].map(formatDuration)).toEqual(['0.4s', '9.9s', '12s', '3m 07s', '2h 05m', '3d 4h', '–']);
    expect(formatDuration(59_600)).toBe('1m 00s');
  });
  it('says how long ago, and what is ahead', () => {
    const now = Date.parse('2026-11-23T12:00:00Z');
    expect(formatAgo('2026-11-23T11:59:50Z', now)).toBe('just now');
    expect(formatAgo('2026-11-23T11:40:00Z', now)).toBe('20 min ago');
    expect(formatAgo('2026-11-23T15:00:00Z', now)).toBe('in 3 h');
    expect(formatAgo('2026-11-20T12:00:00Z', now)).toBe('3 days ago');
    expect(formatAgo(undefined, now)).toBe('–');
  });
  it('says bytes, counts and refs', () => {
    expect([812, 4300, 17 * 1024 * 1024].map(formatBytes)).toEqual(['812 B', '4.2 KiB', '17 MiB']);
    expect([plural(1, 'rule'), plural(1204, 'line'), plural(2, 'branch', 'branches')]).toEqual(['1 rule', '1,204 lines', '2 branches']);
    expect(shortRef('refs/heads/feature/x')).toEqual({ kind: 'branch', name: 'feature/x' });
    expect(shortRef('refs/pull/1/head').kind).toBe('ref');
  });
});

describe('states', () => {
  const build = (state: string, more: Partial<Build> = {}) => ({ state: `BUILD_STATE_${state}`, ...more }) as Build;
  it('shows the steps at a glance', () => {
    expect(stepsOf(build('QUEUED'))).toEqual(['todo', 'todo', 'todo', 'todo']);
    expect(stepsOf(build('RUNNING', { phase: 'BUILD_PHASE_BUILDING' }))).toEqual(['done', 'now', 'todo', 'todo']);
    expect(stepsOf(build('SUCCEEDED'))).toEqual(['done', 'done', 'done', 'done']);
    expect(stepsOf(build('FAILED', { phase: 'BUILD_PHASE_PUSHING' }))).toEqual(['done', 'done', 'stopped', 'todo']);
    expect(stepsOf(build('SOMETHING_NEW'))).toEqual(['todo', 'todo', 'todo', 'todo']);
  });
  it('names the image by a tag that it really has', () => {
    const spec = { destination: { repository: 'r/a' } };
    expect(imageReferences({ spec })).toBeNull();
    expect(imageReferences({ id: 'bld_1', spec, image_digest: 'sha256:1', tag_results: [{ tag: 'old', set: false }, { tag: 'new', set: true }] })).toEqual({ byTag: 'r/a:new', byDigest: 'r/a@sha256:1' });
    expect(imageReferences({ id: 'bld_1', spec, image_digest: 'sha256:1' })!.byTag).toBe('r/a:bld_1');
  });
  it('counts the time that a build runs', () => {
    expect(runTime({}, 5)).toBeNull();
    expect(runTime({ start_time: new Date(1000).toISOString() }, 4000)).toBe(3000);
  });
  it('warns of a token two weeks before its end', () => {
    const now = Date.parse('2026-11-01T00:00:00Z');
    expect(expiryLook('2026-11-10T00:00:00Z', now).tone).toBe('warn');
    expect(expiryLook('2026-12-30T00:00:00Z', now).tone).toBe('neutral');
    expect(expiryLook('2026-10-30T00:00:00Z', now).tone).toBe('bad');
  });
});

describe('the trigger of a rule in a form', () => {
  it('comes out as it went in', () => {
    const trigger = { branches: ['main', 're:refs/heads/(a|b),c'], tags: ['v*'], exclude_branches: ['x'], exclude_tags: ['*-rc'], paths: ['src/**', 'a, b'], exclude_paths: ['docs/'], authors: ['Doe, Jane'], exclude_authors: ['*bot*'], ignore_skip_marks: true };
    expect(triggerOf(triggerDraftOf(trigger))).toEqual(trigger);
    expect(isNarrowed(trigger)).toBe(true);
    expect(isNarrowed({ branches: ['main'], tags: ['v*'] })).toBe(false);
  });
  it('knows which field an error is about', () => {
    expect(triggerFieldOf('rule.trigger.exclude_branches')).toBe('excludeBranches');
    expect(triggerFieldOf('rule.trigger.paths[1]')).toBe('paths');
    expect(triggerFieldOf('rule.display_name')).toBe('');
  });
  it('leaves excluded refs out of those that match', () => {
    expect(matchingRefs(['refs/heads/a', 'refs/heads/b', 'refs/tags/b'], { branches: ['*'], tags: ['*'], excludeBranches: ['b'] })).toEqual(['refs/heads/a', 'refs/tags/b']);
  });
});

describe('checks of forms', () => {
  it('takes good values', () => {
    for (const good of ['team/app', 'a/b/c', 'app', 'A_b.c/d-e']) expect(checkRepository(good)).toBe('');
    for (const good of ['127.0.0.1:5000/team/app', 'ghcr.io/a/b', 'localhost/app', '[::1]:5000/a']) expect(checkDestination(good)).toBe('');
    for (const good of ['', 'Dockerfile', 'a/../b', './x']) expect(checkPath(good)).toBe('');
    expect(checkTemplates(['{branch}-{commit:8}', 'latest', '{time:%Y%m%d-%H%M}'])).toBe('');
    expect([checkTags(['v1', '_x']), checkTimeout(''), checkTimeout('60')]).toEqual(['', '', '']);
  });
  it('refuses bad ones', () => {
    for (const bad of ['', 'https://x/y', '/a', 'a/', 'a/../b', 'a b', 'x.git']) expect(checkRepository(bad)).not.toBe('');
    for (const bad of ['', 'app', 'host/App', 'host/app:tag', 'host/a@sha256:1', 'https://h/a', 'ho_st/a', 'h//a']) expect(checkDestination(bad)).not.toBe('');
    for (const bad of ['/etc', '..', 'a/../../b']) expect(checkPath(bad)).not.toBe('');
    for (const bad of [[], ['{brunch}'], ['{commit:3}'], ['{'], Array(11).fill('a')]) expect(checkTemplates(bad)).not.toBe('');
    for (const bad of ['0', '1441', 'x', '1.5']) expect(checkTimeout(bad)).not.toBe('');
    expect(checkTags(['.x'])).not.toBe('');
  });
  it('reads lists and pairs', () => {
    expect(parseList('a, b\n\nc')).toEqual(['a', 'b', 'c']);
    expect(parseList('{time:%Y,%m}, x')).toEqual(['{time:%Y,%m}', 'x']);
    expect(parsePatterns('main, dev\nre:refs/heads/a{1,2}')).toEqual(['main', 'dev', 're:refs/heads/a{1,2}']);
    expect(parsePairs('A=1=2\nB=', 'argument')).toEqual({ pairs: { A: '1=2', B: '' }, problem: '' });
    expect(parsePairs('1A=x', 'argument').problem).toContain('1A');
    expect(parsePairs('A=1\nA=2', 'argument').problem).toContain('twice');
  });
  it('turns a draft into a recipe and finds the field that an error is about', () => {
    const draft = { ...draftOf({ timeout: '5400s', build_args: { B: '2', A: '1' } }, { repository: 'r/a' }), target: ' stage ' };
    expect(draft.args).toBe('A=1\nB=2');
    expect(recipeOf(draft)).toMatchObject({ recipe: { timeout: '5400s', target: 'stage', build_args: { A: '1', B: '2' } }, destination: { repository: 'r/a' } });
    expect(draftFieldOf('rule.recipe.dockerfile_path')).toBe('dockerfile');
    expect(draftFieldOf('spec.recipe.build_args[X]')).toBe('args');
    expect(draftFieldOf('rule.repository')).toBe('');
    expect(draftFieldOf('rule.destination.repository')).toBe('destination');
  });
  it('knows uploads by their names', () => {
    expect(['Dockerfile', 'prod.Dockerfile', 'Dockerfile.dev', 'a.tar.gz', 'A.TGZ', 'x.zip', 'x.rar'].map((name) => formatOfFile(name, ''))).toEqual(['dockerfile', 'dockerfile', 'dockerfile', 'tar', 'tar', 'zip', null]);
  });
});

describe('patterns', () => {
  const refs = ['refs/heads/main', 'refs/heads/release/1', 'refs/heads/release/1/x', 'refs/tags/v1', 'refs/tags/v2'];
  it('matches names, globs and expressions', () => {
    expect(matchingRefs(refs, { branches: ['main'], tags: [] })).toEqual(['refs/heads/main']);
    expect(matchingRefs(refs, { branches: ['release/*'], tags: [] })).toEqual(['refs/heads/release/1']);
    expect(matchingRefs(refs, { branches: ['release/**'], tags: ['v?'] })).toHaveLength(4);
    expect(matchingRefs(refs, { branches: ['re:refs/heads/(main|dev)'], tags: [] })).toEqual(['refs/heads/main']);
    expect(matchingRefs(refs, { branches: ['re:('], tags: [] })).toEqual([]);
  });
  it('previews with the default branch and the newest tags', () => {
    expect(sampleRefs(refs, 'refs/heads/main', { branches: ['**'], tags: ['*'] }, 3)).toEqual(['refs/heads/main', 'refs/heads/release/1', 'refs/tags/v2']);
    expect(sampleRefs(refs, 'refs/heads/main', { branches: ['nothing'], tags: [] }, 2)).toContain('refs/heads/main');
  });
});
