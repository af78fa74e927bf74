// What people write (branches, commit messages, log lines, build arguments, names) stays text: nothing of it becomes an element or a script.
import assert from 'node:assert/strict';
import { about, DESKTOP, inspect, newPage, nothingFromData, picture, refusedWith, run, signIn, world } from './driver.mjs';

const page = await newPage();
// Spaces, ~, ^, : and a few more cannot be in a ref.
const BRANCH = 'x/<img/src=x/onerror=window.ran="branch">';
const MARKUP = (what) => `<img src=x onerror="window.ran='${what}'"><script>window.ran='${what}'</script><svg onload="alert('${what}')">"'\`&lt;{{7*7}}\${7*7}`;
const NAME = MARKUP('rule').slice(0, 100);

async function seen(path, name, ...texts) {
  await page.goto(path);
  for (const text of texts) await page.getByText(text).first().waitFor();
  await page.waitForTimeout(200);
  await nothingFromData(page, name);
}

async function attempt() {
  await signIn(page);
  const repository = await world.repository({ Dockerfile: `FROM ${about.registry}/base/busybox:latest\nARG NOTE\nRUN printf '%s\\n' "$NOTE"; printf '\\033]8;;javascript:window.ran=1\\007link\\033]8;;\\007 <b>bold</b>\\n'\n` });
  const rule = await world.rule(repository.name, '--branch', 'x/*', '--branch', 'x/**', '--build-arg', `NOTE=${MARKUP('argument')}`);
  // The name goes in through the page.
  await page.goto(`/rules/${rule.id}`);
  await page.getByLabel('Name of the rule').fill(NAME);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL('**/rules');
  await page.getByText(NAME.slice(0, 40)).first().waitFor();
  await inspect(page, 'rules with a hostile name');
  const { commit, said } = await world.push(repository.name, { note: MARKUP('file') }, MARKUP('message'), [`main:refs/heads/${BRANCH}`]);
  assert.match(said, /: 200 /);
  await page.goto('/builds');
  const row = page.locator('.builds .table-row', { hasText: commit.slice(0, 7) });
  await row.getByText(BRANCH).waitFor();
  await row.getByText(/Succeeded|Failed/).waitFor({ timeout: 60_000 });
  await nothingFromData(page, 'builds with a hostile branch');
  await row.getByRole('link').click();
  await page.getByText('complete', { exact: true }).waitFor();
  await page.getByRole('heading', { level: 1 }).getByText('Succeeded').waitFor();
  await page.getByRole('region', { name: 'Log lines' }).getByText('<b>bold</b>').last().waitFor();
  await page.getByRole('region', { name: 'Log lines' }).getByText("window.ran='argument'").first().waitFor();
  await page.getByRole('region', { name: 'What was built' }).getByText("window.ran='argument'").waitFor();
  assert.equal(await page.locator('.log a').count(), 0, 'no link comes from the log');
  await inspect(page, 'build of a hostile commit');
  await picture(page, 'build-hostile');
  await page.getByRole('link', { name: /^evt_/ }).click();
  await page.getByText("window.ran='message'").first().waitFor();
  await inspect(page, 'event of a hostile push');
  await seen(`/rules/${rule.id}`, 'hostile rule', NAME.slice(0, 40));
  await page.getByText(BRANCH).first().waitFor();
  await nothingFromData(page, 'tag preview of a hostile branch');
  await seen(`/new?rule=${rule.id}`, 'build now of a hostile rule', 'Build now');
}

/** What is in the address is data, too. */
async function addresses() {
  await refusedWith(404, () => refusedWith(400, async () => {
    for (const path of [`/builds/${encodeURIComponent(MARKUP('id'))}`, `/rules/${encodeURIComponent('<script>window.ran=1</script>')}`, `/events?repository=${encodeURIComponent(MARKUP('filter'))}`, '/builds?rule=javascript:window.ran=1', '/<script>window.ran=1</script>']) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForTimeout(300);
      await nothingFromData(page, path);
    }
  }));
}

/** The policy holds in this browser: what would run if markup came through, does not. */
async function policy() {
  const other = await newPage(DESKTOP, false);
  await other.goto('/');
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  const tried = await other.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = "inline"';
    document.body.append(script);
    const image = document.createElement('div');
    image.innerHTML = '<img src="data:," onerror="window.ran = \'handler\'">';
    document.body.append(image);
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { ran: window.ran, violations: window.violations.length };
  });
  assert.equal(tried.ran, undefined);
  assert.ok(tried.violations >= 2, `${tried.violations} violations`);
}

await run(attempt, addresses, policy);
