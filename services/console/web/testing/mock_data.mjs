// Made-up data for the stand-in backend: every state, long names, and texts that try to be markup.

const NASTY = '<img src=x onerror=alert(1)>';

export function makeData(empty) {
  const now = Date.now();
  const at = (secondsAgo) => new Date(now - secondsAgo * 1000).toISOString();
  const id = (prefix, n) => `${prefix}_01jd9x3k7m${String(n).padStart(6, '0')}q2w4e6r8t0`;
  const commit = (n) => Array.from({ length: 40 }, (_, i) => '0123456789abcdef'[(n * 7 + i * (n + 3)) % 16]).join('');
  const con = id('con', 1);
  const rule = id('rul', 1);
  const phases = (ago, lengths, final) => {
    const steps = [['QUEUED', 'UNSPECIFIED'], ['RUNNING', 'FETCHING'], ['RUNNING', 'BUILDING'], ['RUNNING', 'PUSHING'], ['PUBLISHING', 'UNSPECIFIED']];
    const moments = [];
    let when = ago;
    lengths.forEach((length, i) => {
      moments.push({ state: `BUILD_STATE_${steps[i][0]}`, phase: `BUILD_PHASE_${steps[i][1]}`, time: at(when), detail: '' });
      when -= length;
    });
    if (final) moments.push({ state: `BUILD_STATE_${final}`, phase: 'BUILD_PHASE_UNSPECIFIED', time: at(when), detail: '' });
    return moments;
  };
  const digest = `sha256:${commit(3)}${commit(5).slice(0, 24)}`;
  const make = (n, state, more = {}) => ({
    id: id('bld', n), project: 'default', sequence: String(n), state, phase: 'BUILD_PHASE_UNSPECIFIED',
    spec: { git: { connection_id: con, repository: 'team/app', ref: 'refs/heads/main', commit: commit(n) }, recipe: { dockerfile_path: 'Dockerfile', context_dir: '.', timeout: '3600s', build_args: { VERSION: '1.4', NOTE: NASTY } }, destination: { repository: 'registry.example.com/team/app', registry_credential_id: '' }, tags: ['main', 'latest', commit(n).slice(0, 7)] },
    origin: { rule_id: rule, event_id: id('evt', 1), requested_by: 'rule app on main', retry_of: '' },
    image_digest: '', tag_results: [], attempts: [], transitions: [], cancel_requested: false, create_time: at(n * 700), start_time: undefined, end_time: undefined, version: '1', ...more,
  });
  const succeeded = (n, repository, ref) => {
    const ago = n * 700;
    const build = make(n, 'BUILD_STATE_SUCCEEDED', {
      image_digest: digest, create_time: at(ago), start_time: at(ago - 6), end_time: at(ago - 142),
      transitions: phases(ago, [6, 9, 96, 28, 3], 'SUCCEEDED'),
      attempts: [{ number: 1, agent_id: id('agt', 1), agent_name: 'agent-0', fence: '12', start_time: at(ago - 6), end_time: at(ago - 139), outcome: 'OUTCOME_SUCCEEDED', log_size: '48211', log_complete: true }],
    });
    build.spec.git.repository = repository;
    build.spec.git.ref = ref;
    build.tag_results = [{ tag: 'main', set: true }, { tag: 'latest', set: false }, { tag: commit(n).slice(0, 7), set: true }];
    return build;
  };
  const running = make(2, 'BUILD_STATE_RUNNING', { phase: 'BUILD_PHASE_BUILDING', create_time: at(70), start_time: at(62), transitions: phases(70, [8, 11, 51]), attempts: [{ number: 1, agent_id: id('agt', 1), agent_name: 'agent-0', fence: '31', start_time: at(62), log_size: '812' }] });
  const failed = make(4, 'BUILD_STATE_FAILED', {
    phase: 'BUILD_PHASE_BUILDING', create_time: at(3000), start_time: at(2990), end_time: at(2700),
    failure: { failure_class: 'FAILURE_CLASS_USER', message: 'process "/bin/sh -c make test" did not complete successfully: exit code: 2' },
    transitions: [...phases(3000, [10, 20, 90]), { state: 'BUILD_STATE_QUEUED', phase: 'BUILD_PHASE_UNSPECIFIED', time: at(2880) }, { state: 'BUILD_STATE_RUNNING', phase: 'BUILD_PHASE_FETCHING', time: at(2850) }, { state: 'BUILD_STATE_RUNNING', phase: 'BUILD_PHASE_BUILDING', time: at(2842) }, { state: 'BUILD_STATE_FAILED', time: at(2700) }],
    attempts: [
      { number: 1, agent_id: id('agt', 2), agent_name: 'agent-1', fence: '18', start_time: at(2990), end_time: at(2880), outcome: 'OUTCOME_LOST', failure: { failure_class: 'FAILURE_CLASS_INFRASTRUCTURE', message: 'the agent was not heard from for 30 s' }, log_size: '2048', log_complete: false },
      { number: 2, agent_id: id('agt', 1), agent_name: 'agent-0', fence: '21', start_time: at(2850), end_time: at(2700), outcome: 'OUTCOME_FAILED', failure: { failure_class: 'FAILURE_CLASS_USER', message: 'make test: exit code 2' }, log_size: '9120', log_complete: true },
    ],
  });
  const nasty = make(6, 'BUILD_STATE_CANCELLED', { start_time: at(4100), end_time: at(4050), origin: { requested_by: NASTY } });
  nasty.spec.git.ref = `refs/heads/${NASTY}`;
  nasty.spec.git.repository = 'team/a-repository-with-a-rather-long-name-that-does-not-fit';
  const uploaded = succeeded(7, '', '');
  uploaded.spec = { upload: { upload_id: id('upl', 1) }, recipe: {}, destination: { repository: 'registry.example.com/team/tool' }, tags: ['test'] };
  uploaded.origin = { requested_by: 'ana' };
  const builds = empty ? [] : [
    make(1, 'BUILD_STATE_QUEUED', { create_time: at(12) }), running, make(3, 'BUILD_STATE_PUBLISHING', { create_time: at(200), start_time: at(190), image_digest: digest }), failed,
    succeeded(5, 'team/api', 'refs/tags/v2.3.1'), nasty, uploaded, make(8, 'BUILD_STATE_TIMED_OUT', { start_time: at(9000), end_time: at(5400), phase: 'BUILD_PHASE_PUSHING', failure: { message: 'took longer than 60 min' } }),
    make(9, 'BUILD_STATE_SUPERSEDED', { start_time: at(6200), end_time: at(6100), image_digest: digest }), make(10, 'BUILD_STATE_HELD'), ...Array.from({ length: 24 }, (_, i) => succeeded(11 + i, ['team/app', 'team/api', 'web/frontend'][i % 3], i % 4 ? 'refs/heads/main' : 'refs/heads/feature/search')),
  ];
  const recipe = { dockerfile_path: 'Dockerfile', context_dir: '.', timeout: '3600s' };
  const rules = empty ? [] : [
    { id: rule, display_name: 'app on main', enabled: true, connection_id: con, repository: 'team/app', trigger: { branches: ['main', 'release/*'], tags: [] }, tag_templates: ['{branch}', '{commit:7}', 'latest'], recipe, destination: { repository: 'registry.example.com/team/app' }, etag: 'e1' },
    { id: id('rul', 2), display_name: 'app releases', enabled: true, connection_id: con, repository: 'team/app', trigger: { branches: [], tags: ['v*'] }, tag_templates: ['{tag}'], recipe, destination: { repository: 'registry.example.com/team/app' }, etag: 'e2' },
    { id: id('rul', 3), display_name: `nightly ${NASTY}`, enabled: false, connection_id: con, repository: 'team/api', trigger: {}, tag_templates: ['nightly-{time:%Y%m%d}'], recipe, destination: { repository: 'registry.example.com/team/api' }, etag: 'e3' },
  ];
  const push = { repository: 'team/app', ref: 'refs/heads/main', before: commit(1), after: commit(2), pusher: 'ana', commits: [{ id: commit(9), message: 'Read the port from the configuration', author_name: 'Ana' }, { id: commit(2), message: `Fix the login ${NASTY}\n\nbody`, author_name: 'Ana' }] };
  const events = empty ? [] : [
    { id: id('evt', 1), kind: 'KIND_WEBHOOK', state: 'STATE_EVALUATED', connection_id: con, webhook_id: id('whk', 1), delivery_id: '72d3162e-cc78-11e3', headers: { 'x-github-event': 'push' }, push, detail: '1 of 2 rules matched', receive_time: at(75), evaluate_time: at(74),
      explanations: [{ rule_id: rule, rule_display_name: 'app on main', reason: 'REASON_MATCHED', detail: 'branch main matches the pattern main', build_id: builds[1].id, tags: ['main', 'a1b2c3d', 'latest'] }, { rule_id: id('rul', 2), rule_display_name: 'app releases', reason: 'REASON_TAG_NOT_MATCHED', detail: 'a branch was pushed; the rule has the tag pattern v*', tags: [] }] },
    { id: id('evt', 2), kind: 'KIND_WEBHOOK', state: 'STATE_IGNORED', connection_id: con, push: { repository: 'team/app', ref: 'refs/heads/old', before: commit(4), after: '0'.repeat(40), pusher: 'ben' }, detail: 'the ref was deleted', receive_time: at(3000) },
    { id: id('evt', 3), kind: 'KIND_MANUAL', state: 'STATE_EVALUATED', connection_id: con, push: { repository: 'team/api', ref: 'refs/tags/v2.3.1', after: commit(5), pusher: 'ana' }, detail: '1 of 1 rules matched', receive_time: at(3600) },
    { id: id('evt', 4), kind: 'KIND_WEBHOOK', state: 'STATE_EVALUATED', connection_id: con, push: { repository: 'web/frontend', ref: 'refs/heads/main', before: commit(4), after: commit(7), pusher: 'cho' }, detail: 'no rule for web/frontend', receive_time: at(8600) },
  ];
  const connections = empty ? [] : [
    { id: con, display_name: 'GitHub', provider: 'PROVIDER_GITHUB', base_url: 'https://github.com', username: 'x-access-token', state: 'STATE_ACTIVE', account: 'davit-bot', scopes: ['repo', 'read:org'], verify_time: at(3700), token_expire_time: at(-9 * 86400) },
    { id: id('con', 2), display_name: 'Internal git', provider: 'PROVIDER_GENERIC_GIT', base_url: 'https://git.example.com', username: 'git', state: 'STATE_INVALID', state_reason: 'credential rejected by git.example.com (401)', scopes: [], verify_time: at(86400), probe_repository: 'team/app' },
    { id: id('con', 3), display_name: 'GitLab', provider: 'PROVIDER_GITLAB', base_url: 'https://gitlab.com', username: 'oauth2', state: 'STATE_ACTIVE', account: 'project_12_bot', scopes: ['read_repository'], verify_time: at(600), token_expire_time: at(-200 * 86400) },
  ];
  const refs = { default_branch: 'refs/heads/main', refs: ['heads/dev', 'heads/feature/search', 'heads/main', 'heads/release/2.3', `heads/${NASTY.replace(/ /g, '')}`, 'tags/v2.3.0', 'tags/v2.3.1'].map((name, i) => ({ name: `refs/${name}`, commit: commit(i + 20) })) };
  return {
    builds, rules, events, connections, refs,
    webhooks: empty ? [] : [{ id: id('whk', 1), connection_id: con, repository: '', provider: 'PROVIDER_GITHUB', create_time: at(90000) }, { id: id('whk', 2), connection_id: con, repository: 'team/app', provider: 'PROVIDER_GITHUB', create_time: at(900000) }],
    credentials: empty ? [] : [{ id: id('rcr', 1), display_name: 'Team registry', registry: 'registry.example.com', username: 'davit', create_time: at(800000) }, { id: id('rcr', 2), display_name: 'Local', registry: '127.0.0.1:5000', username: '', create_time: at(900000) }],
    tokens: empty ? [] : [{ id: id('tok', 1), project: 'default', display_name: 'Ana', role: 'ROLE_DEVELOPER', create_time: at(90000), last_use_time: at(300), expire_time: at(-5 * 86400) }, { id: id('tok', 2), project: '*', display_name: 'bootstrap admin', role: 'ROLE_ADMIN', create_time: at(900000), last_use_time: at(10) }, { id: id('tok', 3), project: 'default', display_name: 'old script', role: 'ROLE_VIEWER', create_time: at(900000), revoke_time: at(4000) }],
    agents: empty ? [] : [{ id: id('agt', 1), name: 'agent-0', state: 'STATE_READY', labels: { platform: 'linux/amd64' }, slots: 4, build_ids: [builds[1].id], version: '0.4.0', last_seen_time: at(2) }, { id: id('agt', 2), name: 'agent-1', state: 'STATE_OFFLINE', labels: { platform: 'linux/amd64' }, slots: 4, build_ids: [], version: '0.4.0', last_seen_time: at(2880) }],
    logOf: (build) => (build === builds[1]?.id ? { bytes: smallLog(), step: 160, live: true } : build === builds[4]?.id ? { bytes: hugeLog(), step: 65536, live: false } : { bytes: smallLog(), step: 4096, live: false }),
  };
}

function smallLog() {
  const lines = [
    '\u001b[1m[davit]\u001b[0m fetched \u001b[36mteam/app\u001b[0m at a1b2c3d in 0.8s',
    '#1 [internal] load build definition from Dockerfile', '#1 DONE 0.0s',
    '#2 [1/5] FROM debian:12-slim@sha256:8a7c…', '#2 CACHED', '#3 [2/5] RUN apt-get install -y build-essential',
    '#3 1.204 Reading package lists...', '#3 9.870 \u001b[33mwarning:\u001b[0m no man pages \u2014 skipped',
    '#3 progress 10%\r#3 progress 60%\r#3 progress 100%', '#4 [3/5] COPY . /src', '#5 [4/5] RUN make -j4', '#5 2.1 cc -O2 -o app main.c',
    '#5 3.4 \u001b[32m✓ 42 tests passed\u001b[0m', '#5 3.5 \u001b[1;31merror:\u001b[0m <img src=x onerror=alert(1)> is not markup',
    '#5 3.6 \u001b[38;5;208m256 colours\u001b[0m and \u001b[48;2;40;80;120m\u001b[97m true colour \u001b[0m, \u001b[2mdim\u001b[0m, \u001b[3mitalic\u001b[0m, \u001b[4munderlined\u001b[0m, \u001b[7minverse\u001b[0m',
    `#5 3.7 ${'a long line that goes on '.repeat(16)}`, '#6 exporting to image', '#6 pushing layers 12.8s done', '\u001b[1m[davit]\u001b[0m pushed registry.example.com/team/app',
  ];
  return Buffer.from(`${lines.join('\n')}\n`);
}

function hugeLog() {
  let text = '';
  for (let i = 1; i <= 100_000; i++) text += `#12 ${(i / 10).toFixed(1)} \u001b[${31 + (i % 6)}mcompiling\u001b[0m object ${i} of 100000 in src/module_${i % 97}/file_${i % 1009}.cc\n`;
  return Buffer.from(text);
}
