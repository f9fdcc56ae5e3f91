/**
 * Loading: a 256 MB safetensors file, opened and every tensor decoded to float32, beside reading
 * the same bytes and doing nothing with them; and 512 MB of packed weights, read into memory that
 * nothing was in yet, as a model's is, and compared with their checksums, beside reading the same
 * file into such memory. All read from the page cache.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { allocateMemory } from '../src/engines/wasm/memory/shared-memory.js';
import { platform } from '../src/engines/wasm/platform/here.js';
import { encode } from '../src/files/dtypes.js';
import { openFile } from '../src/files/file.js';
import { openSafetensors, writeSafetensors } from '../src/files/safetensors/safetensors.js';
import { PackCache } from '../src/load/pack-cache/pack-cache.js';
import { builtLoad } from './built.js';
import { medians } from './measure.js';

const TENSORS = 16;
const SHAPE = [2048, 4096]; // 16 MiB of 16-bit numbers
const MEGABYTES = (TENSORS * 2048 * 4096 * 2) / 1e6;

export async function loadBench(): Promise<void> {
  const bench = new Bench({ time: 0, iterations: 5, warmupTime: 0, warmupIterations: 1 });
  const paths = [];
  for (const dtype of ['F16', 'BF16'] as const) {
    const path = join(tmpdir(), `llama-32k-bench-${process.pid}-${dtype}.safetensors`);
    paths.push(path);
    await writeModel(path, dtype);
    bench.add(`${dtype}, read only`, () => readBytes(path));
    bench.add(`${dtype}, open and decode`, () => decodeAll(path));
  }
  const { loadModel } = await builtLoad();
  bench.add('golden/gqa, open with tokenizer', async () => (await loadModel('golden/gqa')).close());
  const times = await medians(bench);
  await Promise.all(paths.map(path => rm(path)));

  for (const [name, ms] of times) {
    const rate = name.startsWith('golden') ? '' : `  ${(MEGABYTES / ms).toFixed(2)} GB/s`;
    console.log(`${name.padEnd(32)} ${ms.toFixed(1).padStart(7)} ms${rate}`);
  }
  await packedBench();
}

const PACKED_BYTES = 512e6;
/** As large as a matrix. */
const PART_BYTES = 8e6;

/** Reading packed weights, and reading their file, in turns: the best of each. */
async function packedBench(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'llama-32k-bench-'));
  const cache = new PackCache({ directory, maxBytes: 1e10, version: 'bench' });
  await cache.write('bench', freshParts(), {});
  const [name] = await readdir(directory);
  const times = { 'read only': Infinity, 'read and checked': Infinity };
  for (let turn = 0; turn < 7; turn++) {
    const plain = await millisecondsFor(parts => readWhole(join(directory, name), parts));
    const checked = await millisecondsFor(async parts => {
      if (!(await cache.read('bench', parts, {}))) throw new Error(cache.notes.join());
    });
    times['read only'] = Math.min(times['read only'], plain);
    times['read and checked'] = Math.min(times['read and checked'], checked);
  }
  await rm(directory, { recursive: true });
  for (const [what, ms] of Object.entries(times)) {
    const rate = `${(PACKED_BYTES / 1e6 / ms).toFixed(2)} GB/s`;
    console.log(`${`packed weights, ${what}`.padEnd(32)} ${ms.toFixed(1).padStart(7)} ms  ${rate}`);
  }
  console.log(`ratio ${(times['read and checked'] / times['read only']).toFixed(2)}`);
}

async function millisecondsFor(read: (parts: Uint8Array[]) => Promise<void>): Promise<number> {
  const parts = freshParts();
  const start = performance.now();
  await read(parts);
  return performance.now() - start;
}

/** In memory of their own, whose pages the system gives when they are written. */
function freshParts(): Uint8Array[] {
  platform.collectGarbage();
  const { buffer } = allocateMemory(PACKED_BYTES);
  return Array.from(
    { length: PACKED_BYTES / PART_BYTES },
    (_, i) => new Uint8Array(buffer, i * PART_BYTES, PART_BYTES),
  );
}

async function readWhole(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const source = await openFile(path);
  for (const [i, part] of parts.entries()) await source.readInto(i * PART_BYTES, part);
  await source.close();
}

async function writeModel(path: string, dtype: 'F16' | 'BF16'): Promise<void> {
  const numbers = Float32Array.from({ length: SHAPE[0] * SHAPE[1] }, (_, i) => Math.sin(i) / 50);
  const chunks = [encode(dtype, numbers)];
  const tensors = Array.from({ length: TENSORS }, (_, i) => ({
    name: `tensor.${i}`,
    dtype,
    shape: SHAPE,
    chunks,
  }));
  await writeFile(path, writeSafetensors(tensors));
}

async function readBytes(path: string): Promise<void> {
  const source = await openFile(path);
  const target = new Uint8Array(SHAPE[0] * SHAPE[1] * 2);
  for (let i = 0; i < TENSORS; i++) await source.readInto(i * target.length, target);
  await source.close();
}

async function decodeAll(path: string): Promise<void> {
  const file = await openSafetensors(await openFile(path));
  for (const tensor of file.tensors.values()) await tensor.read();
  await file.close();
}
