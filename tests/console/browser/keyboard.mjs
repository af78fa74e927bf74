// The console without a mouse, and signing in and out.
import assert from 'node:assert/strict';
import { inspect, newPage, picture, refusedWith, run, signIn, world } from './driver.mjs';

const page = await newPage();
const focused = (read) => page.evaluate(read);

async function skipLink() {
  await signIn(page);
  await page.goto('/builds');
  await page.getByRole('heading', { name: 'Builds' }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await focused(() => document.activeElement.textContent), 'Skip to the page');
  assert.ok(await focused(() => document.activeElement.getBoundingClientRect().top >= 0), 'the skip link shows when it has the focus');
  await page.keyboard.press('Enter');
  assert.equal(await focused(() => document.activeElement.id), 'main');
}

/** Every stop of the Tab key has a name, is in view, and shows that it has the focus. */
async function everyStop() {
  for (const path of ['/builds', '/rules/new', '/new/upload', '/settings/tokens']) {
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForTimeout(300);
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const stop = await focused(() => {
        const element = document.activeElement;
        if (element === document.body) return null;
        const style = getComputedStyle(element);
        const after = getComputedStyle(element, '::after');
        const label = element.getAttribute('aria-label') || element.textContent.trim() || (element.labels?.[0]?.textContent ?? '') || (element.getAttribute('aria-labelledby') ? 'labelled' : '');
        return { what: element.outerHTML.slice(0, 120), label, visible: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || (after.outlineStyle !== 'none' && parseFloat(after.outlineWidth) > 0) || element.id === 'main' };
      });
      if (stop === null) break;
      assert.ok(stop.label, `${path}: ${stop.what} has no name`);
      assert.ok(stop.visible, `${path}: ${stop.what} does not show the focus`);
    }
  }
}

async function appearance() {
  await page.goto('/builds');
  await page.getByRole('button', { name: /Appearance: as the system/ }).press('Enter');
  await page.getByRole('button', { name: /Appearance: light/ }).press('Enter');
  await page.getByRole('button', { name: /Appearance: dark/ }).waitFor();
  const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
  assert.ok(Math.max(...dark) < 60, `${dark}`);
  await page.reload();
  await page.getByRole('button', { name: /Appearance: dark/ }).waitFor();
}

async function signOutAndIn() {
  await page.getByRole('button', { name: 'Sign out' }).press('Enter');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await inspect(page, 'sign-in');
  await picture(page, 'sign-in-dark');
  await page.getByLabel('API token').fill('dvt_nonsense');
  await refusedWith(401, async () => {
    await page.keyboard.press('Enter');
    await page.getByText('This token is not known').waitFor();
  });
  await page.getByLabel('API token').fill(await world.token('viewer', 'default'));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Builds' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Builds' }).waitFor();
}

/** Somebody who may only read is not offered what would be refused. */
async function viewer() {
  await page.goto('/rules');
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'New rule' }).count(), 0);
  await page.goto('/new');
  await page.getByText('Your token only reads.').waitFor();
  await page.goto('/connections');
  assert.equal(await page.getByRole('link', { name: 'New connection' }).count(), 0);
  await page.goto('/settings/tokens');
  await page.getByText('Only an administrator sees').waitFor();
}

/** A token that is revoked while somebody is signed in with it: the page says so and asks for another. */
async function revoked() {
  const token = await world.token('developer', 'default');
  const other = await newPage();
  await signIn(other, token);
  const { api_tokens: tokens } = await world.cli('tokens', 'list');
  const newest = tokens.find((one) => one.role === 'ROLE_DEVELOPER' && !one.revoke_time);
  await world.cli('tokens', 'revoke', newest.id);
  await refusedWith(401, async () => {
    // Services notice within 30 seconds.
    for (let i = 0; i < 40 && (await other.getByText('Your session has ended').count()) === 0; i++) {
      await other.getByRole('link', { name: i % 2 ? 'Events' : 'Rules', exact: true }).click({ timeout: 1000 }).catch(() => undefined);
      await other.waitForTimeout(1000);
    }
    await other.getByText('Your session has ended').waitFor();
  });
}

await run(skipLink, everyStop, appearance, signOutAndIn, viewer, revoked);
