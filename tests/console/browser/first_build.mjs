// From a one-time link and an empty project to an image: connect a git server, make a rule, push, watch the build, take its image's reference.
import assert from 'node:assert/strict';
import { about, inspect, newPage, picture, refusedWith, run, world } from './driver.mjs';

const PROJECT = 'first';
const page = await newPage();
const repository = await world.repository(null, 'first/hello');
let built = '';

async function signIn() {
  const link = await world.signInLink(await world.token('admin', PROJECT));
  await page.goto(link);
  await page.waitForURL('**/builds');
  assert.ok(!page.url().includes('code'), 'the code does not stay in the address');
  const other = await newPage();
  await refusedWith(401, async () => {
    await other.goto(link);
    await other.getByText('This link does not work any more.').waitFor();
  });
  await inspect(other, 'sign-in with a used link');
  await other.context().close();
}

/** Each empty page leads to the next step. */
async function connect() {
  await page.getByRole('heading', { name: 'From nothing to an image in three steps' }).waitFor();
  await picture(page, 'empty-builds');
  for (const name of ['Events', 'Rules']) {
    await page.getByRole('link', { name, exact: true }).click();
    await page.locator('.empty').waitFor();
    await inspect(page, `empty ${name}`);
    await picture(page, `empty-${name.toLowerCase()}`);
  }
  await page.getByRole('link', { name: 'Connect a git server' }).click();
  await page.getByLabel('Kind').selectOption({ label: 'Other git server' });
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByText('Type the server’s address.').waitFor();
  await page.getByText('Paste the access token.').waitFor();
  await page.locator('[aria-invalid="true"]:focus').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('sample git');
  await page.getByLabel('Address').fill(about.gitUrl);
  await page.getByLabel('Repository to try the token on').fill(repository.name);
  await page.getByLabel('Access token').fill('gt_not-the-token');
  await refusedWith(409, async () => {
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText(/credential rejected/).waitFor();
  });
  await picture(page, 'connection-refused');
  await page.getByLabel('Access token').fill(about.gitToken);
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByRole('heading', { level: 1, name: 'sample git' }).waitFor();
  await page.getByText('Active').first().waitFor();
}

async function makeWebhook() {
  await page.getByRole('button', { name: 'New webhook' }).click();
  await page.getByLabel('Only this repository').fill(repository.name);
  await page.getByRole('button', { name: 'Make the webhook' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Copy the secret now').waitFor();
  await inspect(page, 'webhook secret');
  await picture(page, 'webhook-made');
  const values = await dialog.locator('.copyable code').allInnerTexts();
  await world.deliverTo(repository.name, values[0], values[1]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(values[0]).waitFor();
}

async function addRegistryCredential() {
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.locator('.empty').waitFor();
  await page.getByRole('button', { name: /credential/i }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('own registry');
  await dialog.getByLabel('Registry', { exact: true }).fill(about.registry);
  await dialog.getByLabel('User name').fill('davit');
  await dialog.getByLabel('Password or token').fill(about.registryPassword);
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('own registry').waitFor();
}

async function makeRule() {
  await page.getByRole('link', { name: 'Rules', exact: true }).click();
  await page.getByRole('link', { name: 'Make the first rule' }).click();
  await page.getByLabel('Repository', { exact: true }).fill('first/missing');
  await refusedWith(404, () => page.getByText('repository not found').first().waitFor());
  await page.getByLabel('Repository', { exact: true }).fill(repository.name);
  await page.getByText('Found: 1 branch').waitFor();
  await page.getByLabel('Name of the rule').fill('hello on main');
  await page.getByLabel('Image', { exact: true }).fill(`${about.registry}/${repository.name}`);
  const templates = page.getByLabel('Tags of the image');
  await templates.fill('{nonsense}');
  await page.getByText('known are {branch}').waitFor();
  await templates.fill('{branch}-{commit:8}\nlatest');
  const preview = page.getByRole('region', { name: 'Tag preview' });
  await preview.getByText('What real refs of this repository would get').waitFor();
  await preview.getByText(`main-${repository.commit.slice(0, 8)}`).waitFor();
  await preview.getByText('latest').first().waitFor();
  await page.getByLabel('Dockerfile').fill('../Dockerfile');
  await page.getByRole('button', { name: 'Make the rule' }).click();
  await page.getByText('This path leaves the repository.').waitFor();
  await inspect(page, 'rule form with a problem');
  await picture(page, 'rule-problem');
  await page.getByLabel('Dockerfile').fill('');
  await page.getByText('Stage, platform, build arguments').click();
  await page.getByLabel('Build arguments').fill(`REGISTRY=${about.registry}`);
  await page.getByRole('button', { name: 'Make the rule' }).click();
  await page.waitForURL('**/rules');
  await page.getByRole('link', { name: 'hello on main' }).waitFor();
}

async function pushAndWatch() {
  await page.getByRole('link', { name: 'Builds', exact: true }).first().click();
  await page.getByRole('heading', { name: 'No builds yet' }).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.evaluate(() => { window.notReloaded = true; });
  const { commit, said } = await world.push(repository.name, { 'greeting.txt': 'Hello from the browser.\n' }, 'Say hello from the browser');
  built = commit;
  assert.match(said, /: 200 /);
  const row = page.locator('.builds .table-row');
  await row.getByText(commit.slice(0, 7)).waitFor();
  await row.getByText(/Queued|Fetching|Building|Pushing|Publishing|Succeeded/).waitFor();
  await row.getByText('Succeeded').waitFor({ timeout: 60_000 });
  assert.equal(await page.evaluate(() => window.notReloaded), true, 'the page was not loaded again');
  await inspect(page, 'list with the build');
  await row.getByRole('link', { name: repository.name }).click();
  await page.getByRole('heading', { level: 1, name: new RegExp(repository.name) }).waitFor();
  await page.getByText('complete', { exact: true }).waitFor();
  const log = page.getByRole('region', { name: 'Log lines' });
  await log.getByText('generate.sh').first().waitFor();
  for (const lane of ['Fetch', 'Build', 'Push']) await page.getByRole('region', { name: 'Timeline' }).getByText(lane, { exact: true }).first().waitFor();

  const tag = `main-${commit.slice(0, 8)}`;
  await page.getByRole('button', { name: 'Copy the image reference', exact: true }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const reference = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok([`${about.registry}/${repository.name}:${tag}`, `${about.registry}/${repository.name}:latest`].includes(reference), reference);
  await page.getByRole('button', { name: 'Copy the image reference with its digest' }).click();
  await page.getByRole('button', { name: 'Copied' }).nth(1).waitFor().catch(() => undefined);
  const byDigest = await page.evaluate(() => navigator.clipboard.readText());
  const digest = await world.imageDigest(repository.name, tag);
  assert.equal(byDigest, `${about.registry}/${repository.name}@${digest}`);
  assert.equal(digest, await world.imageDigest(repository.name, 'latest'));
}

/** What came in and what became of it, with the reasons. */
async function readEvents() {
  const elsewhere = await world.push(repository.name, { 'other.txt': 'x\n' }, 'On another branch', ['main:refs/heads/other']);
  await world.evaluated(repository.name, elsewhere.commit, PROJECT);
  await page.getByRole('link', { name: 'Rules', exact: true }).click();
  await page.getByRole('switch', { name: 'Pushes build by hello on main' }).click();
  await page.locator('[role=switch][aria-checked=false]').waitFor();
  const disabled = await world.push(repository.name, { 'other.txt': 'y\n' }, 'While the rule is disabled');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.locator('.events .table-row').nth(2).waitFor();
  await inspect(page, 'events');
  for (const [commit, message, reason] of [[disabled.commit, 'While the rule is disabled', 'Rule disabled'], [elsewhere.commit, 'On another branch', 'Branch not matched'], [built, 'Say hello from the browser', 'Built']]) {
    await page.locator('.events .table-row', { hasText: commit.slice(0, 8) }).getByRole('link').click();
    await page.getByText(message).waitFor();
    const explanations = page.getByRole('region', { name: 'What each rule made of it' });
    await explanations.getByText(reason).waitFor();
    await explanations.getByRole('link', { name: 'hello on main' }).waitFor();
    if (reason === 'Built') await explanations.getByRole('link', { name: 'Build', exact: true }).click();
    else await page.getByRole('link', { name: '← Events' }).click();
  }
  await page.waitForURL('**/builds/bld_*');
}

/** Exceptions, paths and authors: checked by the server next to their field, kept, and shown among the reasons. */
async function narrowRule() {
  await page.getByRole('link', { name: 'Rules', exact: true }).click();
  await page.getByRole('switch', { name: 'Pushes build by hello on main' }).click();
  await page.locator('[role=switch][aria-checked=true]').waitFor();
  await page.getByRole('link', { name: 'hello on main' }).click();
  await page.getByText('Exceptions, paths and authors').click();
  await page.getByLabel('Paths that matter').fill('re:(');
  await refusedWith(400, async () => {
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/pattern rejected/).waitFor();
  });
  await inspect(page, 'rule with a refused pattern');
  await picture(page, 'rule-narrowed');
  await page.getByLabel('Paths that matter').fill('src/**');
  await page.getByLabel('Branches that do not build').fill('old-*');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL('**/rules');
  await page.getByText('with exceptions').waitFor();
  // A change of something else leaves them as they are.
  await page.getByRole('link', { name: 'hello on main' }).click();
  await page.getByLabel('Name of the rule').fill('hello, narrowed');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL('**/rules');
  const { rules } = await world.cli('rule', 'list', '--project', PROJECT);
  assert.deepEqual([rules[0].display_name, rules[0].trigger.paths, rules[0].trigger.exclude_branches], ['hello, narrowed', ['src/**'], ['old-*']]);
  const { commit } = await world.push(repository.name, { 'doc.txt': 'z\n' }, 'Only words');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.locator('.events .table-row', { hasText: commit.slice(0, 8) }).getByRole('link').click();
  await page.getByRole('region', { name: 'What each rule made of it' }).getByText('No path matched').waitFor();
}

await run(signIn, connect, makeWebhook, addRegistryCredential, makeRule, pushAndWatch, readEvents, narrowRule);
