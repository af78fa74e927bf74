// Writes FILE.br and FILE.gz beside every file of a folder, with the strongest settings, so that the server need not compress. Deterministic: no times or names are
// stored. Prints what a first visit loads, and fails when that is 300 KiB or more.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const LIMIT_BYTES = 300 * 1024;
const folder = process.argv[2];
if (!folder) {
  console.error('usage: node precompress.mjs FOLDER');
  process.exit(2);
}
let firstLoad = 0;
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
  if (!entry.isFile() || /\.(br|gz)$/.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const content = readFileSync(path);
  const brotli = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length } });
  const gzip = gzipSync(content, { level: 9 });
  writeFileSync(`${path}.br`, brotli);
  writeFileSync(`${path}.gz`, gzip);
  firstLoad += gzip.length;
}
console.log(`first load: ${(firstLoad / 1024).toFixed(1)} KiB with gzip`);
if (firstLoad >= LIMIT_BYTES) {
  console.error(`first load is over ${LIMIT_BYTES / 1024} KiB`);
  process.exit(1);
}
