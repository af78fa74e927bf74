// What the scripts of this folder share: Chromium with a watch on everything that must not happen, and the world outside the browser (see ../scenario.py).
import { AxeBuilder } from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let asking = Promise.resolve();

/** Asks the world outside: `await world.push(...)`; see the class Actions of ../scenario.py. */
export const world = new Proxy({}, {
  get: (_, name) => (...args) => {
    const asked = asking.then(async () => {
      process.stdout.write(`${JSON.stringify({ call: name, arguments: args })}\n`);
      const { value } = await answers.next();
      const answer = JSON.parse(value);
      if (answer.error) throw new Error(answer.error);
      return answer.value;
    });
    asking = asked.catch(() => undefined);
    return asked;
  },
});

/** Shows a measured figure in the suite's output. */
export function figure(text) {
  process.stdout.write(`${JSON.stringify({ figure: text })}\n`);
}

export const about = await world.about();
/** Multiplies limits of measured times. */
export const slack = Number(process.env.DAVIT_SLACK || 1);
export const DESKTOP = { viewport: { width: 1280, height: 860 } };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  // Chromium refuses its sandbox to root. No name but the console's resolves: a page that wants something from elsewhere fails.
  args: [...(process.getuid() === 0 ? ['--no-sandbox'] : []), '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', '--disable-dev-shm-usage'],
});
const problems = [];
const tolerated = new Set();
// Answers with such a status, by status and address: Chromium reports them on the page's console at its own time.
const refused = new Set();
// A build may begin while the page asks why it waits; Chromium reports the refusal by itself, whatever the page makes of it.
const EXPECTED = { '409': '/api/v1/scheduler/ExplainQueue' };

/** Notes what must not happen; the run fails with it at its end. */
export function problem(text) {
  if (!problems.includes(text)) problems.push(text);
}

/** Runs something that the server refuses with this HTTP status, which Chromium reports on the page's console. */
export async function refusedWith(status, action) {
  tolerated.add(status);
  try {
    return await action();
  } finally {
    tolerated.delete(status);
  }
}

/** A page in a browser profile of its own, which (unless it is not `watched`) reports whatever must not happen on any page. */
export async function newPage(options = DESKTOP, watched = true) {
  const context = await browser.newContext({ reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'], baseURL: about.console, ...options });
  context.setDefaultTimeout(20_000);
  await context.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
  });
  const page = await context.newPage();
  if (!watched) return page;
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    const status = /^Failed to load resource: the server responded with a status of (\d+)/.exec(message.text())?.[1];
    const { url } = message.location();
    if (status && (tolerated.has(Number(status)) || refused.has(`${status} ${url}`) || url.endsWith(EXPECTED[status] ?? '?'))) return;
    problem(`console: ${message.text()} (${url}) on ${page.url()}`);
  });
  page.on('pageerror', (error) => problem(`error on ${page.url()}: ${error.stack}`));
  page.on('dialog', (dialog) => {
    problem(`a dialog on ${page.url()}: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('response', (response) => {
    if (tolerated.has(response.status())) refused.add(`${response.status()} ${response.url()}`);
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(`${about.console}/`) && !/^(blob|data):/.test(request.url())) problem(`a request to ${request.url()}`);
  });
  return page;
}

/** Signs in by a one-time link, as the token's owner; without a token as the administrator of everything. */
export async function signIn(page, token) {
  await page.goto(await world.signInLink(token));
  await page.getByRole('heading', { level: 1, name: 'Builds' }).waitFor();
}

/** What holds on every page: nothing serious for axe (of the `rules`, or of all), nothing that sticks out sideways, nothing made from data, no refused content. */
export async function inspect(page, name, rules) {
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (sideways > 0) problem(`${name}: ${sideways} px stick out sideways`);
  const axe = new AxeBuilder({ page }).setLegacyMode(true);
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  for (const found of violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')) {
    problem(`${name}: axe ${found.id}: ${found.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
  }
  await nothingFromData(page, name);
}

/** No element or script came from what people wrote, and the page asked for nothing that its policy refuses. */
export async function nothingFromData(page, name) {
  const found = await page.evaluate(() => ({
    elements: [...document.querySelectorAll('img, iframe, object, embed, base, form[action], script:not([src^="/assets/"]), link:not([href^="/"]), [onerror], [onload], [onclick]')].map((element) => element.outerHTML.slice(0, 200)),
    ran: window.ran, violations: window.violations,
  }));
  if (found.elements.length > 0) problem(`${name}: elements that the app does not make: ${found.elements.join(' ')}`);
  if (found.ran !== undefined) problem(`${name}: a script from data ran: ${found.ran}`);
  if (found.violations.length > 0) problem(`${name}: the policy refused: ${found.violations.join('; ')}`);
}

/** Writes a picture of the whole page. */
export async function picture(page, name) {
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: join(about.screenshots, `${name}.png`), fullPage: true });
}

/** Runs a script's parts, ends Chromium, and fails with everything that was noted. */
export async function run(...parts) {
  try {
    for (const part of parts) await part();
    assert.deepEqual(problems, []);
  } catch (error) {
    console.error(error.stack);
    for (const text of problems) console.error(`noted: ${text}`);
    for (const context of browser.contexts()) {
      for (const page of context.pages()) {
        console.error(`at ${page.url()}`);
        await page.screenshot({ path: join(about.screenshots, 'failed.png') }).catch(() => undefined);
        console.error((await page.locator('body').innerText().catch(() => "")).slice(0, 1500)); console.error((await page.locator(".log-foot").innerText().catch(() => "")));
      }
    }
    process.exitCode = 1;
  } finally {
    await browser.close();
    process.stdin.destroy();
  }
}
