// How builds end other than well: cancelled while they run, failed with an error that is shown; and that they can be built again.
import assert from 'node:assert/strict';
import { about, inspect, newPage, picture, run, signIn, world } from './driver.mjs';

const page = await newPage();

async function start(files) {
  const repository = await world.repository(files);
  const build = await world.cli('build', '--connection', about.connection, '--repository', repository.name, '--branch', 'main', '--image', `${about.registry}/${repository.name}`);
  await page.goto(`/builds/${build.id}`);
  return { repository, build };
}

const title = (state) => page.getByRole('heading', { level: 1 }).getByText(state);

async function cancelled() {
  const { build } = await start({ Dockerfile: `FROM ${about.registry}/base/busybox:latest\nRUN echo about to sleep && sleep 87651\n` });
  await page.getByRole('region', { name: 'Log lines' }).getByText('about to sleep').last().waitFor({ timeout: 40_000 });
  await title('Building').waitFor();
  await inspect(page, 'running build');
  await picture(page, 'build-running');
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Cancel this build?' });
  await inspect(page, 'confirmation');
  await picture(page, 'confirm-cancel');
  // The focus stays in the dialog, however often Tab is pressed, and Escape takes it back to the button.
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector('dialog').contains(document.activeElement)), 'the focus left the dialog');
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  // The dialog is gone a moment before the focus is back where it was.
  await page.waitForFunction(() => document.activeElement.matches('button') && document.activeElement.textContent.trim() === 'Cancel');
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Cancel the build' }).click();
  await title('Cancelled').waitFor();
  await page.getByText('complete', { exact: true }).waitFor();
  assert.equal((await world.build(build.id)).state, 'BUILD_STATE_CANCELLED');
  assert.deepEqual((await world.processesMentioning('sleep 87651')).filter((line) => line.trimEnd().endsWith(': sleep 87651')), []);
}

async function failed() {
  const { repository, build } = await start({ Dockerfile: `FROM ${about.registry}/base/busybox:latest\nRUN test -e /no/such/file || (echo it is not there >&2; exit 42)\n` });
  await title('Failed').waitFor({ timeout: 40_000 });
  await page.locator('.failure').getByText(/exited 42/).waitFor();
  await page.getByText('The same again would fail the same way').waitFor();
  await page.getByRole('region', { name: 'Log lines' }).getByText('it is not there').last().waitFor();
  await inspect(page, 'failed build');
  await page.getByRole('button', { name: 'Build again' }).click();
  await page.waitForURL((url) => url.pathname.startsWith('/builds/bld_') && !url.pathname.endsWith(build.id));
  await page.getByRole('region', { name: 'What was built' }).getByText('Repeats').waitFor();
  await title('Failed').waitFor({ timeout: 40_000 });
  await page.goto('/builds?state=failed');
  await page.locator('.builds .table-row', { hasText: repository.name }).nth(1).waitFor();
}

await run(() => signIn(page), cancelled, failed);
