// Cuts GitHub's own OpenAPI description to the paths that Davit uses, under /api/v3 as on GitHub Enterprise Server.
//
//   node cut_openapi.mjs OUTPUT
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const PATHS = [
  '/user',
  '/user/repos',
  '/user/orgs',
  '/orgs/{org}/repos',
  '/search/repositories',
  '/repos/{owner}/{repo}/statuses/{sha}',
  '/repos/{owner}/{repo}/compare/{basehead}',
  '/repos/{owner}/{repo}/hooks',
  '/repos/{owner}/{repo}/hooks/{hook_id}',
];

const source = createRequire(import.meta.url).resolve('@octokit/openapi/package.json');
const whole = JSON.parse(readFileSync(new URL('generated/api.github.com.json', `file://${source}`), 'utf8'));

// What the kept paths refer to, and what that refers to.
const kept = {};
const components = {};
const waiting = [];
function collect(value) {
  if (value === null || typeof value !== 'object') return;
  if (typeof value.$ref === 'string') waiting.push(value.$ref);
  Object.values(value).forEach(collect);
}
for (const path of PATHS) {
  if (!whole.paths[path]) throw new Error(`GitHub describes no ${path}`);
  kept[`/api/v3${path}`] = whole.paths[path];
  collect(whole.paths[path]);
}
while (waiting.length > 0) {
  const [, , kind, name] = waiting.pop().split('/');
  components[kind] ??= {};
  if (components[kind][name]) continue;
  components[kind][name] = whole.components[kind][name];
  collect(components[kind][name]);
}

// GitHub recommends asking for its own media type, and answers with application/json, which is all that the description names.
function answerToGitHubsType(value) {
  if (value === null || typeof value !== 'object') return;
  const json = value.content?.['application/json'];
  if (json && value.description !== undefined) value.content['application/vnd.github+json'] = json;
  Object.values(value).forEach(answerToGitHubsType);
}
answerToGitHubsType({ kept, responses: components.responses });
writeFileSync(process.argv[2], JSON.stringify({ openapi: whole.openapi, info: whole.info, paths: kept, components }));
