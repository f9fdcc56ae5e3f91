/**
 * A few characters for all that decides what a model says: the same on another machine, and another
 * one when an answer may be. OpenAI calls it `system_fingerprint`.
 *
 * - the files of the model: whole, or, of files that are larger than 32 MiB, their size, the first
 *   MiB, which has the header of every format, and 32 samples. To hash 13 GB would take longer than
 *   to load them;
 * - how they are read and computed: the options of loading that change numbers, the kernels'
 *   module, and the version of this package.
 */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFile } from '../base/package.js';
import { isFile } from '../files/file.js';
import { hashSamples } from '../files/file-identity.js';
import { pathsOfParts } from '../files/gguf/splits.js';
import { listDirectory } from './directory.js';
import { CONFIG, GENERATION_CONFIG } from './model-files.js';
import type { LoadOptions } from './options.js';
import { TOKEN_LISTS, TOKENIZER_FILES } from './tokenizer.js';
import { packageVersion } from './version.js';

const WHOLE_BYTES = 2 ** 25;
const DIGITS = 12;

/** Of those that threads, memory and places of files do not belong to. */
const DECIDING = ['kernels', 'weights', 'cache', 'numerics', 'ropeFactor', 'context'] as const;

/** `fp_` and 12 hexadecimal digits, of the model at `path` as `loadModel` opens it. */
export async function fingerprintOf(path: string, options: LoadOptions = {}): Promise<string> {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([await packageVersion(), DECIDING.map(name => options[name])]));
  if (options.kernels !== 'exact')
    hash.update(await readFile(packageFile('dist/engines/wasm/simd.wasm')));
  for (const file of await filesOf(path)) hash.update(await digestOf(file));
  return `fp_${hash.digest('hex').slice(0, DIGITS)}`;
}

/** In an order that is the same everywhere. */
async function filesOf(path: string): Promise<string[]> {
  if (await isFile(path)) return pathsOfParts(path);
  const names = (await listDirectory(path)).filter(isOfModel).sort();
  return names.map(name => join(path, name));
}

const SMALL: readonly string[] = [CONFIG, GENERATION_CONFIG, ...TOKENIZER_FILES, ...TOKEN_LISTS];

const isOfModel = (name: string): boolean =>
  SMALL.includes(name) || /\.(safetensors|bin)$/.test(name);

async function digestOf(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    hash.update(`${size} `);
    if (size <= WHOLE_BYTES) hash.update(await handle.readFile());
    else await hashSamples(handle, hash, size);
  } finally {
    await handle.close();
  }
  return hash.digest();
}
