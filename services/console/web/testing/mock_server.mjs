// Stands in for the console's backend with made-up data, to look at the pages and to check them in a browser. It serves dist/ with the backend's security headers and
// answers the JSON API from memory. Only for development: it checks no token and keeps nothing.
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeData } from './mock_data.mjs';

const DIST = join(fileURLToPath(new URL('.', import.meta.url)), '..', 'dist');
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const STATUS = { INVALID_ARGUMENT: 400, UNAUTHENTICATED: 401, PERMISSION_DENIED: 403, NOT_FOUND: 404, FAILED_PRECONDITION: 409, ALREADY_EXISTS: 409, ABORTED: 409 };

class ApiFailure extends Error {
  constructor(code, message, field) {
    super(message);
    Object.assign(this, { code, field });
  }
}

/** Starts the server; `empty` = an installation in which nothing was done yet. Resolves to {port, close, data}. */
export function startMock({ port = 0, empty = false } = {}) {
  const data = makeData(empty);
  const session = { csrf_token: 'mock-csrf', caller: { project: 'default', role: 'ROLE_ADMIN', display_name: 'bootstrap admin' } };
  let signedIn = false;

  const find = (list, id) => {
    const item = list.find((one) => one.id === id);
    if (!item) throw new ApiFailure('NOT_FOUND', `no such ${id.slice(0, 3)}: ${id}`);
    return item;
  };
  const brief = ({ attempts, transitions, ...build }) => build;
  const tagsOf = (templates, ref, commit) => {
    const branch = ref.startsWith('refs/heads/') ? ref.slice(11) : '';
    const tag = ref.startsWith('refs/tags/') ? ref.slice(10) : '';
    return templates.filter((one) => !(one.includes('{tag}') && !tag) && !(one.includes('{branch}') && !branch)).map((one) => {
      if (/\{x/.test(one)) throw new ApiFailure('INVALID_ARGUMENT', `unknown placeholder in ${one}`, 'tag_templates');
      return one.replace('{branch}', branch).replace('{tag}', tag).replace('{ref}', branch || tag).replace(/\{commit(?::(\d+))?\}/, (_, n) => (commit || 'a'.repeat(40)).slice(0, Number(n ?? 40))).replace(/\{time[^}]*\}/, '20261123').replace(/[^A-Za-z0-9._-]/g, '-');
    });
  };
  const methods = {
    'scheduler/ListBuilds': ({ states = [], repository = '', rule_id = '', page_token = '' }) => {
      const all = data.builds.filter((one) => (states.length === 0 || states.includes(one.state)) && (!repository || one.spec.git?.repository === repository) && (!rule_id || one.origin.rule_id === rule_id));
      const from = Number(page_token || 0);
      return { builds: all.slice(from, from + 20).map(brief), next_page_token: all.length > from + 20 ? String(from + 20) : '' };
    },
    'scheduler/GetBuild': ({ id }) => ({ build: find(data.builds, id) }),
    'scheduler/CancelBuild': ({ id }) => ({ build: Object.assign(find(data.builds, id), { cancel_requested: true }) }),
    'scheduler/RetryBuild': ({ id }) => ({ build: find(data.builds, id) }),
    'scheduler/CreateBuild': () => ({ build: data.builds[1] }),
    'scheduler/ExplainQueue': () => ({ reason: 'REASON_PROJECT_LIMIT', detail: 'The project runs 4 builds and may run 4.', position: '2' }),
    'scheduler/ListAgents': () => ({ agents: data.agents }),
    'rules/ListRules': () => ({ rules: data.rules }),
    'rules/GetRule': ({ id }) => ({ rule: find(data.rules, id) }),
    'rules/CreateRule': ({ rule }) => {
      if (data.rules.some((one) => one.display_name === rule.display_name)) throw new ApiFailure('ALREADY_EXISTS', 'the display name is taken');
      if (rule.recipe.target === 'refused') throw new ApiFailure('INVALID_ARGUMENT', 'there is no such stage', 'rule.recipe.target');
      const made = { ...rule, id: `rul_new${data.rules.length}`, enabled: true };
      data.rules.push(made);
      return { rule: made };
    },
    'rules/UpdateRule': ({ rule }) => ({ rule: Object.assign(find(data.rules, rule.id), rule) }),
    'rules/DeleteRule': ({ id }) => (data.rules.splice(data.rules.indexOf(find(data.rules, id)), 1), {}),
    'rules/EnableRule': ({ id }) => ({ rule: Object.assign(find(data.rules, id), { enabled: true }) }),
    'rules/DisableRule': ({ id }) => ({ rule: Object.assign(find(data.rules, id), { enabled: false }) }),
    'rules/PreviewTags': ({ tag_templates, ref, commit }) => ({ tags: tagsOf(tag_templates, ref, commit) }),
    'rules/TriggerRule': () => ({ event: data.events[0] }),
    'rules/ListEvents': ({ repository = '' }) => ({ events: data.events.filter((one) => !repository || one.push.repository === repository).map(({ explanations, ...one }) => one) }),
    'rules/GetEvent': ({ id }) => ({ event: find(data.events, id) }),
    'registry/ListConnections': () => ({ connections: data.connections }),
    'registry/GetConnection': ({ id }) => ({ connection: find(data.connections, id) }),
    'registry/CreateConnection': ({ connection }) => {
      if (connection.display_name === 'refused') throw new ApiFailure('FAILED_PRECONDITION', 'credential rejected by github.com (401)');
      const made = { ...connection, id: 'con_new', state: 'STATE_ACTIVE' };
      data.connections.push(made);
      return { connection: made };
    },
    'registry/UpdateConnection': ({ connection }) => ({ connection: Object.assign(find(data.connections, connection.id), connection) }),
    'registry/VerifyConnection': ({ id }) => ({ connection: find(data.connections, id) }),
    'registry/ListRefs': ({ repository }) => {
      if (repository === 'team/missing') throw new ApiFailure('NOT_FOUND', 'repository not found: team/missing');
      return data.refs;
    },
    'registry/ListWebhooks': () => ({ webhooks: data.webhooks }),
    'registry/CreateWebhook': () => ({ webhook: data.webhooks[0], secret: 'whs_Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0', path: `/hooks/${data.webhooks[0]?.id ?? 'whk_new'}` }),
    'registry/ListRegistryCredentials': () => ({ registry_credentials: data.credentials }),
    'identity/ListApiTokens': () => ({ api_tokens: data.tokens }),
    'identity/CreateApiToken': () => ({ api_token: data.tokens[0], token: 'dvt_made_up_token_0123456789' }),
    'identity/GetCaller': () => ({ api_token: session.caller }),
  };

  const json = (response, status, body) => response.writeHead(status, { ...HEADERS, 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  const failure = (response, error) => json(response, STATUS[error.code] ?? 500, { error: { code: error.code ?? 'INTERNAL', field: error.field ?? '', message: error.message } });

  const sendLog = (response, id, url) => {
    const log = data.logOf(id);
    let offset = Number(url.searchParams.get('offset') ?? 0);
    const step = () => {
      if (response.destroyed) return;
      for (let burst = 0; burst < 8 && offset < log.bytes.length; burst++) {
        const piece = log.bytes.subarray(offset, offset + log.step);
        response.write(`event: log\nid: 1:${offset + piece.length}\ndata: ${JSON.stringify({ offset: String(offset), data: piece.toString('base64'), attempt: Number(url.searchParams.get('attempt')) })}\n\n`);
        offset += piece.length;
        if (log.live) break;
      }
      if (offset < log.bytes.length) setTimeout(step, log.live ? 400 : 0);
      else if (!log.live) response.end(`event: end\ndata: ${JSON.stringify({ attempt: 1, end_of_attempt: true, complete: true })}\n\n`);
    };
    step();
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock');
    const parts = url.pathname.split('/').slice(1);
    if (parts[0] !== 'api') {
      const file = normalize(join(DIST, url.pathname));
      const path = file.startsWith(DIST) && extname(file) && existsSync(file) ? file : join(DIST, 'index.html');
      response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' });
      createReadStream(path).pipe(response);
      return;
    }
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      try {
        const route = parts.slice(2).join('/');
        if (route === 'session') {
          if (request.method === 'POST') {
            const body = JSON.parse(Buffer.concat(chunks).toString());
            if (body.code !== 'good' && !body.token?.startsWith('dvt_')) throw new ApiFailure('UNAUTHENTICATED', 'sign in first');
            signedIn = true;
          } else if (request.method === 'DELETE') signedIn = false;
          return json(response, 200, signedIn ? session : {});
        }
        if (!signedIn) throw new ApiFailure('UNAUTHENTICATED', 'sign in first');
        if (request.method === 'GET') {
          response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
          response.write(':\n\n');
          if (route === 'builds/events') return response.write(`event: builds\ndata: ${JSON.stringify(methods['scheduler/ListBuilds']({}))}\n\n`);
          if (parts[4] === 'events') return response.write(`event: build\ndata: ${JSON.stringify(find(data.builds, parts[3]))}\n\n`);
          return sendLog(response, parts[3], url);
        }
        if (request.headers['x-csrf-token'] !== session.csrf_token) throw new ApiFailure('PERMISSION_DENIED', 'CSRF token missing or wrong');
        if (route === 'uploads') return json(response, 200, { id: 'upl_mock', file_name: url.searchParams.get('file_name'), size: String(Buffer.concat(chunks).length) });
        if (!methods[route]) throw new ApiFailure('UNIMPLEMENTED', `the mock has no ${route}`);
        return json(response, 200, methods[route](JSON.parse(Buffer.concat(chunks).toString() || '{}')));
      } catch (error) {
        return failure(response, error);
      }
    });
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve({ port: server.address().port, data, close: () => (server.closeAllConnections(), server.close()), signIn: () => { signedIn = true; } }));
  });
}

if (process.argv[1] && readFileSync(process.argv[1]).equals(readFileSync(fileURLToPath(import.meta.url)))) {
  const flag = process.argv.indexOf('--port');
  const { port } = await startMock({ port: flag > 0 ? Number(process.argv[flag + 1]) : 7090, empty: process.argv.includes('--empty') });
  console.log(`http://127.0.0.1:${port}/sign-in#code=good`);
}
