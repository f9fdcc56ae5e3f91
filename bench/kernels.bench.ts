/**
 * The linear layers by themselves, on one thread: GB/s of weights for a single row, from memory, beside a plain read; 10^9 operations per second (a
 * product and a sum are two) for 32 rows, from the cache. The best of many short slices: what a kernel can do, not what others left it.
 */
import { readFile } from 'node:fs/promises';
import type { KernelExports } from '../src/kernels/wasm/exports.js';
import { blocksOf, tileBytes, type WeightFormat } from '../src/kernels/wasm/formats.js';
import { normalTable } from './random-weights.js';
import { readBandwidth } from './read-bandwidth.js';

const M = 4096;
const ROWS = 32;
const MEMORY = 2 ** 29; // far more than any cache
const MILLISECONDS = 1500;
const [X, XQ, X_SCALES, X_SUMS, OUT, WEIGHTS] = [1, 2, 3, 4, 5, 6].map(i => i * 2 ** 20);

const SUFFIXES: Record<WeightFormat, 'F32' | 'F16' | 'BF16' | 'Q8' | 'Q4'> = {
  f32: 'F32',
  bf16: 'BF16',
  f16: 'F16',
  q8_0: 'Q8',
  q4_0: 'Q4',
};

export async function kernelsBench(): Promise<void> {
  console.log(`memory is read at ${((await readBandwidth(1)) / 1e9).toFixed(1)} GB/s by one thread`);
  for (const build of ['simd', 'relaxed'] as const) {
    const bytes = new Uint8Array(await readFile(new URL(`../../dist/kernels/wasm/${build}.wasm`, import.meta.url)));
    if (!WebAssembly.validate(bytes)) {
      console.log(`${build}: not in this engine`);
      continue;
    }
    const memory = new WebAssembly.Memory({ initial: MEMORY / 65_536, maximum: 65_536, shared: true });
    const module = await WebAssembly.compile(bytes);
    const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
    for (const format of Object.keys(SUFFIXES) as WeightFormat[]) measure(kernels, memory, build, format);
  }
}

function measure(kernels: KernelExports, memory: WebAssembly.Memory, build: string, format: WeightFormat): void {
  const bytes = tileBytes(format, M);
  const tiles = Math.floor((MEMORY - WEIGHTS) / bytes);
  new Float32Array(memory.buffer, X, 16 * M).set(normalTable().subarray(0, 16 * M));
  kernels[`pack${SUFFIXES[format]}`](WEIGHTS, X, M, M, 16);
  const all = new Uint8Array(memory.buffer);
  for (let t = 1; t < tiles; t++) all.copyWithin(WEIGHTS + t * bytes, WEIGHTS, WEIGHTS + bytes);
  new Float32Array(memory.buffer, X, ROWS * M).set(normalTable().subarray(0, ROWS * M));

  const one = linear(kernels, format, 1, false);
  const piece = Math.ceil(2 ** 23 / bytes);
  let tile = 0;
  const decode = best(() => {
    tile = tile + piece > tiles ? 0 : tile;
    for (const end = tile + piece; tile < end; tile++) one(tile);
  });
  const many = linear(kernels, format, ROWS, build === 'relaxed');
  const prefill = best(() => many(0));
  const read = (piece * bytes) / decode / 1e6;
  const operations = (2 * ROWS * 16 * M) / prefill / 1e6;
  console.log(
    `${build.padEnd(7)} ${format.padEnd(4)} ${read.toFixed(1).padStart(5)} GB/s, ${operations.toFixed(0).padStart(4)} GOPS`,
  );
}

/** Computes one tile for `rows` rows. */
function linear(kernels: KernelExports, format: WeightFormat, rows: number, halves: boolean): (tile: number) => void {
  const blocks = blocksOf(M);
  const range = [X, M, M, 0, rows] as const;
  const write = (tile: number) => [OUT - tile * 64, 1024] as const; // the same place for each
  switch (format) {
    case 'q8_0': {
      kernels[halves ? 'quantize14Halves' : 'quantize14'](XQ, X_SCALES, ...range);
      const matmul = kernels[halves ? 'matmulQ8Halves' : 'matmulQ8'];
      return t => matmul(...write(t), XQ, X_SCALES, rows, WEIGHTS, blocks, t, t + 1);
    }
    case 'q4_0':
      kernels.quantize8(XQ, X_SCALES, X_SUMS, ...range);
      return t => kernels.matmulQ4(...write(t), XQ, X_SCALES, X_SUMS, rows, WEIGHTS, blocks, t, t + 1);
    default: {
      const matmul = kernels[`matmul${SUFFIXES[format] as 'F32' | 'F16' | 'BF16'}`];
      return t => matmul(...write(t), X, M, rows, WEIGHTS, M, t, t + 1);
    }
  }
}

/** The shortest time of `run` in milliseconds. */
function best(run: () => void): number {
  let shortest = Infinity;
  for (const end = performance.now() + MILLISECONDS; performance.now() < end; ) {
    const start = performance.now();
    run();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}
