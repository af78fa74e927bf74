// Looks at every page in Chromium, over the stand-in backend: nothing on the console, no request to elsewhere, nothing serious for axe, no markup made from data, a
// log of 100,000 lines within two seconds. Writes screenshots (light, dark, 375 px) to a folder. Usage: browser_check.mjs [OUT] [--chromium PATH] [--look light|dark|narrow|none] [--only PAGE]
// [--slack N: time limits times N, for a busy machine]
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startMock } from './mock_server.mjs';

const argument = (name, fallback) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback);
const out = process.argv[2] && !process.argv[2].startsWith('--') ? process.argv[2] : '';
const only = argument('--only', '');
const slack = Number(argument('--slack', '1'));
const wantedLook = argument('--look', '');
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let passed = 0;
const failures = [];
const check = (name, good, detail = '') => {
  if (good) passed++;
  else failures.push(`${name}: ${detail}`);
};

const mock = await startMock();
const emptyMock = await startMock({ empty: true });
const browser = await chromium.launch({ executablePath: argument('--chromium', '/usr/bin/chromium'), args: ['--no-sandbox'] });

/** Opens a browser context whose pages report what must not happen. (That an answer was an error, as some here are on purpose, is not among it.) */
async function open(server, options) {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const origin = `http://127.0.0.1:${server.port}`;
  page.on('console', (message) => {
    if ((message.type() === 'error' || message.type() === 'warning') && !message.text().startsWith('Failed to load resource')) check('console', false, `${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => check('page error', false, `${page.url()}: ${error.stack}`));
  page.on('dialog', (dialog) => {
    check('script from data', false, page.url());
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !/^(blob|data):/.test(request.url())) check('foreign request', false, request.url());
  });
  await page.goto(`${origin}/sign-in#code=good`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForURL('**/builds');
  check('the code is not kept in the address', !page.url().includes('code'));
  return { context, page, origin };
}

async function inspect(page, name) {
  check(`${name}: no element was made from data`, (await page.locator('img').count()) === 0);
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(`${name}: nothing sticks out sideways`, sideways <= 0, `${sideways} px`);
  await page.evaluate(axeSource);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  for (const violation of result.violations) {
    const serious = violation.impact === 'serious' || violation.impact === 'critical';
    const text = `${violation.id}: ${violation.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join(' | ')}`;
    if (serious) check(`${name}: axe`, false, text);
    else console.log(`note: ${name}: ${violation.impact} ${text}`);
  }
  check(`${name}: axe`, !result.violations.some((violation) => violation.impact === 'serious' || violation.impact === 'critical'), 'see above');
}

const [queued, running, , failed, huge] = mock.data.builds;
const PAGES = [
  ['builds', '/builds', 'Builds'], ['build-running', `/builds/${running.id}`, 'true colour'], ['build-failed', `/builds/${failed.id}`, 'exit code: 2'], ['build-queued', `/builds/${queued.id}`, 'may run 4'],
  ['build-done', `/builds/${mock.data.builds[6].id}`, 'pushing layers'], ['rules', '/rules', 'app releases'], ['rule', `/rules/${mock.data.rules[0].id}`, 'Matches now'], ['new-build', '/new', 'Build now'], ['upload', '/new/upload', 'Upload and build'],
  ['events', '/events', 'no rule for web/frontend'], ['event', `/events/${mock.data.events[0].id}`, 'Tag not matched'], ['connections', '/connections', 'Internal git'], ['connection', `/connections/${mock.data.connections[0].id}`, 'every repository'],
  ['new-connection', '/connections/new', 'Access token'], ['settings-registries', '/settings/registries', 'Team registry'], ['settings-tokens', '/settings/tokens', 'old script'], ['settings-agents', '/settings/agents', 'agent-1'],
].filter(([name]) => !only || name === only);
const LOOKS = { light: { colorScheme: 'light', viewport: { width: 1280, height: 860 } }, dark: { colorScheme: 'dark', viewport: { width: 1280, height: 860 } }, narrow: { colorScheme: 'light', viewport: { width: 375, height: 740 } } };

try {
  if (out) mkdirSync(out, { recursive: true });
  for (const [look, options] of Object.entries(LOOKS).filter(([name]) => !wantedLook || name === wantedLook)) {
    const { context, page, origin } = await open(mock, options);
    for (const [name, path, text] of PAGES) {
      await page.goto(origin + path);
      await page.getByText(text).first().waitFor({ timeout: 8000 }).catch(() => check(`${look} ${name}`, false, `“${text}” did not appear`));
      await page.waitForTimeout(250);
      await inspect(page, `${look} ${name}`);
      if (out) await page.screenshot({ path: join(out, `${name}-${look}.png`), fullPage: true });
    }
    await context.close();
  }
  if (!only && (!wantedLook || wantedLook === 'none')) {
    await checkBehaviour();
    await checkEmpty();
  }
} catch (error) {
  check('the run', false, error.stack);
} finally {
  await browser.close();
  mock.close();
  emptyMock.close();
}
for (const failure of new Set(failures)) console.log(`FAILED ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;

async function checkBehaviour() {
  const { context, page, origin } = await open(mock, LOOKS.light);
  const began = Date.now();
  await page.goto(`${origin}/builds/${huge.id}`);
  await page.getByText('object 100000 of 100000').waitFor();
  const took = Date.now() - began;
  console.log(`100,000 lines were there after ${took} ms`);
  check('100,000 lines open within 2 s', took < 2000 * slack, `${took} ms`);
  const frames = await page.evaluate(async () => {
    const lines = document.querySelector('.log-lines');
    const gaps = [];
    let before = performance.now();
    for (let i = 0; i < 60; i++) {
      lines.scrollTop = i * 30_000;
      await new Promise(requestAnimationFrame);
      gaps.push(performance.now() - before);
      before = performance.now();
    }
    return gaps.sort((a, b) => a - b);
  });
  console.log(`scrolling: median ${frames[30].toFixed(1)} ms, 95 % ${frames[57].toFixed(1)} ms a frame`);
  check('scrolling is smooth', frames[30] < 34 * slack, `${frames[30]} ms`);
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('object 77777 of');
  await page.getByText('1 of 1 line').waitFor();
  await page.locator('mark').first().waitFor();
  check('a search goes to its hit', await page.getByText('object 77777 of').isVisible());
  await page.getByRole('button', { name: 'Jump to end' }).click();
  await page.getByText('object 100000 of 100000').waitFor();
  if (out) await page.screenshot({ path: join(out, 'log-100000.png') });

  await page.goto(`${origin}/rules/new`);
  await page.getByLabel('Connection').selectOption({ label: 'GitHub' });
  await page.getByLabel('Repository', { exact: true }).fill('team/missing');
  await page.getByText('repository not found: team/missing').waitFor();
  await page.getByLabel('Repository', { exact: true }).fill('team/app');
  await page.getByText('Found: 5 branches, 2 tags; the default is main').waitFor();
  await page.getByLabel('Tags of the image').fill('{branch}-{commit:8}\nlatest');
  await page.getByRole('region', { name: 'Tag preview' }).getByText(/^main-/).waitFor();
  await page.getByLabel('Dockerfile').fill('../Dockerfile');
  await page.getByRole('button', { name: 'Make the rule' }).click();
  await page.getByText('This path leaves the repository.').waitFor();
  if (out) await page.screenshot({ path: join(out, 'rule-new-problems.png'), fullPage: true });
  await page.getByLabel('Dockerfile').fill('');
  await page.getByLabel('Name of the rule').fill('app on main');
  await page.getByLabel('Image', { exact: true }).fill('registry.example.com/team/app');
  await page.getByRole('button', { name: 'Make the rule' }).click();
  await page.getByText('This name is taken').waitFor();
  await page.getByLabel('Name of the rule').fill('another');
  await page.getByRole('button', { name: 'Make the rule' }).click();
  await page.waitForURL('**/rules');
  await page.getByRole('switch', { name: 'Pushes build by another' }).click();
  await page.locator('[role=switch][aria-checked=false]').nth(1).waitFor();
  await page.getByRole('button', { name: 'Delete another' }).click();
  if (out) await page.screenshot({ path: join(out, 'confirm.png') });
  await page.getByRole('button', { name: 'Delete the rule' }).click();
  await page.getByRole('link', { name: 'another' }).waitFor({ state: 'detached' });

  await page.goto(`${origin}/new/upload`);
  await page.getByRole('textbox', { name: 'Dockerfile' }).fill('FROM scratch\n');
  await page.getByLabel('Image', { exact: true }).fill('registry.example.com/team/tool');
  await page.getByRole('button', { name: 'Upload and build' }).click();
  await page.waitForURL('**/builds/bld_*');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Cancel the build' }).click();
  await page.getByText('Cancelling').first().waitFor();

  await page.goto(`${origin}/connections/${mock.data.connections[0].id}`);
  await page.getByRole('button', { name: 'New webhook' }).click();
  await page.getByRole('button', { name: 'Make the webhook' }).click();
  await page.getByText('whs_').waitFor();
  await inspect(page, 'webhook secret');
  if (out) await page.screenshot({ path: join(out, 'webhook.png') });
  await page.keyboard.press('Escape');
  await page.getByText('whs_').waitFor({ state: 'detached' });

  await page.goto(`${origin}/builds`);
  await page.getByRole('heading', { name: 'Builds' }).waitFor();
  await page.keyboard.press('Tab');
  check('the first stop of the keyboard is the skip link', (await page.evaluate(() => document.activeElement?.className)) === 'skip');
  await page.keyboard.press('Enter');
  check('the skip link goes to the page', (await page.evaluate(() => document.activeElement?.id)) === 'main');
  await page.getByRole('button', { name: /Appearance: as the system/ }).click();
  await page.getByRole('button', { name: /Appearance: light/ }).click();
  check('dark can be chosen', (await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) === 'rgb(16, 21, 27)');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await inspect(page, 'sign-in');
  await page.getByLabel('API token').fill('nonsense');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This token is not known').waitFor();
  if (out) await page.screenshot({ path: join(out, 'sign-in-dark.png') });
  await page.getByLabel('API token').fill('dvt_good');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Builds' }).waitFor();
  await context.close();
}

async function checkEmpty() {
  const { context, page, origin } = await open(emptyMock, LOOKS.light);
  for (const path of ['/builds', '/rules', '/events', '/connections', '/settings/registries', '/nowhere']) {
    await page.goto(origin + path);
    await page.waitForTimeout(400);
    await inspect(page, `empty ${path}`);
    if (out) await page.screenshot({ path: join(out, `empty-${path.slice(1).replace('/', '-')}.png`) });
  }
  await context.close();
}
