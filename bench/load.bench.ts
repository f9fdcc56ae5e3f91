/**
 * Loading: a 256 MB safetensors file, opened and every tensor decoded to float32, beside reading
 * the same bytes and doing nothing with them. Both read from the page cache.
 */
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { encode } from '../src/files/dtypes.js';
import { openFile } from '../src/files/file.js';
import { openSafetensors, writeSafetensors } from '../src/files/safetensors/safetensors.js';
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
