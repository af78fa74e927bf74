// Looks at every page with real data, light, dark and 375 pixels wide: axe, nothing that sticks out, and a picture of each.
import { about, DESKTOP, inspect, newPage, picture, run, signIn, world } from './driver.mjs';

const NARROW = { width: 375, height: 740 };
let pages = [];
const stopping = [];

/** One build of each kind, a rule, events, credentials and tokens. */
async function prepare() {
  const sample = await world.repository(null, 'shop/frontend');
  const rule = await world.rule(sample.name);
  await world.push(sample.name, { 'greeting.txt': 'Hello from the shop.\n' }, 'Greet the customers of the shop');
  await world.push(sample.name, { 'other.txt': 'x\n' }, 'Try something', ['main:refs/heads/feature/a-rather-long-name-of-a-branch-that-nobody-should-give']);
  const failing = await world.repository({ Dockerfile: `FROM ${about.registry}/base/busybox:latest\nRUN echo compiling; printf '\\033[1;31merror:\\033[0m \\033[36msrc/main.c:12\\033[0m: expected a semicolon\\n'; exit 2\n` }, 'shop/backend');
  const sleeping = await world.repository({ Dockerfile: `FROM ${about.registry}/base/busybox:latest\nRUN i=0; while [ $i -lt 86400 ]; do printf '\\033[32mok\\033[0m test %d\\n' $i; i=$((i+1)); sleep 1; done\n` }, 'shop/worker');
  const by = (repository, ...flags) => world.cli('build', '--connection', about.connection, '--repository', repository.name, '--branch', 'main', '--image', `${about.registry}/${repository.name}`, ...flags);
  const failed = await world.build((await by(failing, '--build-arg', 'VERSION=1.4')).id);
  const { builds } = await world.cli('builds', '--repository', sample.name);
  await world.build(builds[0].id);
  const running = await by(sleeping);
  stopping.push(running.id);
  await world.build(running.id, 'BUILD_STATE_RUNNING');
  const { events } = await world.cli('events', '--repository', sample.name);
  await world.token('viewer', 'default');
  pages = [
    ['builds', '/builds', 'shop/frontend'], ['build-running', `/builds/${running.id}`, 'test 2'], ['build-failed', `/builds/${failed.id}`, 'expected a semicolon'],
    ['build-succeeded', `/builds/${builds[0].id}`, 'Copy the image reference'], ['rules', '/rules', 'shop/frontend'], ['rule', `/rules/${rule.id}`, 'Matches now'], ['rule-new', '/rules/new', 'Which pushes build'],
    ['new-build', '/new', 'Build now'], ['upload', '/new/upload', 'Upload and build'], ['events', '/events', 'shop/frontend'], ['event', `/events/${events.at(-1).id}`, 'What each rule made of it'],
    ['event-not-matched', `/events/${events[0].id}`, 'Branch not matched'], ['connections', '/connections', 'Other git server'], ['connection', `/connections/${about.connection}`, 'Webhooks'],
    ['connection-new', '/connections/new', 'Access token'], ['settings-registries', '/settings/registries', about.registry], ['settings-tokens', '/settings/tokens', 'browser'], ['settings-agents', '/settings/agents', 'slot'], ['not-found', '/nowhere', 'There is no such page'],
  ];
}

/** One page, loaded once: light, then dark, then narrow. Axe's other findings do not depend on the colours. */
async function look(page, title, path, text) {
  await page.setViewportSize(DESKTOP.viewport);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(path);
  await page.getByText(text).or(page.getByLabel(text)).first().waitFor();
  await page.waitForTimeout(200);
  await inspect(page, `light ${title}`);
  await picture(page, `${title}-light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  await inspect(page, `dark ${title}`, ['color-contrast']);
  await picture(page, `${title}-dark`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(NARROW);
  await inspect(page, `narrow ${title}`, ['color-contrast', 'scrollable-region-focusable', 'target-size']);
  await picture(page, `${title}-narrow`);
}

async function lookAtAll() {
  const page = await newPage();
  await look(page, 'sign-in', '/', 'API token');
  await page.setViewportSize(DESKTOP.viewport);
  await signIn(page);
  for (const [title, path, text] of pages) await look(page, title, path, text);
}

async function clean() {
  for (const id of stopping) await world.cli('cancel', id);
}

await run(prepare, lookAtAll, clean);
