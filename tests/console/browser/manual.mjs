// Builds by hand: of a branch without a rule and by a rule, of a Dockerfile written in the editor or dropped on the page, of an archive.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { about, newPage, picture, run, signIn, world } from './driver.mjs';

const page = await newPage();
const DOCKERFILE = `FROM ${about.registry}/base/busybox:latest\n`;

/** Waits on the build's page for its end; returns the build's id. */
async function succeeded(heading) {
  await page.waitForURL('**/builds/bld_*');
  await page.getByRole('heading', { level: 1, name: heading }).getByText('Succeeded').waitFor({ timeout: 60_000 });
  await page.getByText('complete', { exact: true }).waitFor();
  return new URL(page.url()).pathname.split('/').at(-1);
}

async function addPair(label, text) {
  if (!(await page.getByLabel(label).isVisible())) await page.getByText('Stage, platform, build arguments').click();
  await page.getByLabel(label).fill(text);
}

async function aBranchWithoutARule() {
  const repository = await world.repository();
  const { commit } = await world.push(repository.name, { 'greeting.txt': 'From a branch.\n' }, 'work', ['main:refs/heads/work/one']);
  await page.goto('/new');
  if (await page.getByRole('radio', { name: 'Without a rule' }).count()) await page.getByRole('radio', { name: 'Without a rule' }).click();
  await page.getByLabel('Repository', { exact: true }).fill(repository.name);
  await page.getByText('Found: 2 branches').waitFor();
  await page.getByLabel('Branch, tag or commit').fill('work/one');
  await page.getByLabel('Image', { exact: true }).fill(`${about.registry}/manual/branch`);
  await page.getByLabel('Tags', { exact: false }).first().fill('by-hand');
  await addPair('Build arguments', `REGISTRY=${about.registry}`);
  await page.getByRole('button', { name: 'Build now' }).click();
  const id = await succeeded(repository.name);
  assert.equal((await world.build(id)).spec.git.commit, commit);
  assert.ok(await world.imageDigest('manual/branch', 'by-hand'));
}

async function byARule() {
  const repository = await world.repository();
  const rule = await world.rule(repository.name);
  await page.goto('/rules');
  await page.locator('.rules .table-row', { hasText: rule.display_name }).getByRole('link', { name: 'Build now' }).click();
  await page.getByLabel('Branch, tag or commit').fill('main');
  await page.getByRole('button', { name: 'Build now' }).click();
  const build = await world.build(await succeeded(repository.name));
  assert.equal(build.spec.git.commit, repository.commit);
  assert.equal(build.origin.rule_id, rule.id);
}

async function aDockerfileInTheEditor() {
  await page.goto('/new/upload');
  await page.getByRole('button', { name: 'Upload and build' }).click();
  await page.getByText('Write a Dockerfile, or drop one here.').waitFor();
  await page.getByRole('textbox', { name: 'Dockerfile' }).fill(`${DOCKERFILE}RUN echo written in the editor >/said\n`);
  await page.getByLabel('Image', { exact: true }).fill(`${about.registry}/manual/editor`);
  await page.getByRole('button', { name: 'Upload and build' }).click();
  const id = await succeeded('Upload');
  assert.ok(await world.imageDigest('manual/editor', id), 'the build’s id is a tag');
}

/** Drops a file on the page, as from a file manager. */
async function drop(name, type, base64) {
  const transfer = await page.evaluateHandle(([fileName, fileType, content]) => {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], fileName, { type: fileType }));
    return data;
  }, [name, type, base64]);
  await page.locator('.dropzone').dispatchEvent('dragover', { dataTransfer: transfer });
  await page.locator('.dropzone.over').waitFor();
  await page.locator('.dropzone').dispatchEvent('drop', { dataTransfer: transfer });
}

async function aDockerfileDropped() {
  await page.goto('/new/upload');
  await page.locator('.dropzone').waitFor();
  await drop('notes.pdf', 'application/pdf', 'JVBERg==');
  await page.getByText('notes.pdf is neither a Dockerfile nor').waitFor();
  await drop('Dockerfile', '', Buffer.from(`${DOCKERFILE}RUN echo dropped >/said\n`).toString('base64'));
  await page.waitForFunction(() => document.querySelector('textarea')?.value.includes('echo dropped'));
  await page.getByLabel('Image', { exact: true }).fill(`${about.registry}/manual/dropped`);
  await page.getByRole('button', { name: 'Upload and build' }).click();
  await succeeded('Upload');
}

/** A tar archive of small files. */
function tar(files) {
  const blocks = [];
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    for (const [at, value] of [[100, '0000644\0'], [108, '0000000\0'], [116, '0000000\0'], [124, `${content.length.toString(8).padStart(11, '0')}\0`], [136, '00000000000\0'], [148, '        '], [156, '0'], [257, 'ustar\u000000']]) header.write(value, at);
    header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header, content, Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

async function anArchive() {
  await page.goto('/new/upload');
  await page.getByRole('radio', { name: 'Archive' }).click();
  const archive = gzipSync(tar({ 'docker/Dockerfile': `${DOCKERFILE}COPY message /message\nRUN grep -q packed /message\n`, message: 'packed\n' }));
  await page.locator('input[type=file]').setInputFiles({ name: 'context.tar.gz', mimeType: 'application/gzip', buffer: archive });
  await page.getByText('context.tar.gz').first().waitFor();
  await page.getByLabel('Dockerfile', { exact: false }).last().fill('docker/Dockerfile');
  await page.getByLabel('Image', { exact: true }).fill(`${about.registry}/manual/archive`);
  await picture(page, 'upload-archive');
  await page.getByRole('button', { name: 'Upload and build' }).click();
  await succeeded('Upload');
}

await run(() => signIn(page), aBranchWithoutARule, byARule, aDockerfileInTheEditor, aDockerfileDropped, anArchive);
