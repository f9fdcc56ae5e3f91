/**
 * What one thread can do at most: reading memory, and the instructions that the kernels are made
 * of. These have everything in registers, and enough sums at a time that none waits for the one
 * before. 10^9 bytes, and 10^9 operations, per second; a product and a sum are two operations.
 */
import { canRun } from '../../src/engines/wasm/kernels/builds.js';
import { best } from '../best.js';
import { compileAssemblyScript } from '../compile.js';
import { compileReader } from '../read-bandwidth.js';
import type { Kernels } from './kernels.js';

export interface Peaks {
  readonly read: number;
  /** f32x4: a product, then a sum. */
  readonly mulAdd: number;
  /** i32x4.dot_i16x8_s, then a sum. */
  readonly dot: number;
  /**
   * i16x8.relaxed_dot_i8x16_i7x16_s, then a sum; undefined where the engine has no relaxed SIMD.
   */
  readonly pairs: number | undefined;
  /** i32x4.relaxed_dot_i8x16_i7x16_add_s; likewise. */
  readonly fours: number | undefined;
}

/** Of 4 to 14, which the registers hold beside two operands, the fastest. */
const SUMS = Array.from({ length: 12 }, (_, i) => `s${i}`);
const ROUNDS = 100_000;
/** As much as the kernels read in one slice. */
export const SLICE = 2 ** 23;

// Operands are parameters, because constants would be built again at every use; sums begin at
// different numbers, because equal ones would be computed once.
const loop = (name: string, type: string, splat: string, step: (sum: string) => string) => `
export function ${name}(p: ${type}, q: ${type}): i32 {
  const x = ${splat}(p), y = ${splat}(q);
  ${SUMS.map((sum, i) => `let ${sum} = ${splat}(<${type}>${i});`).join('\n  ')}
  for (let i = 0; i < ${ROUNDS}; i++) {
    ${SUMS.map(sum => `${sum} = ${step(sum)};`).join('\n    ')}
  }
  return i32x4.extract_lane(${SUMS.reduce((all, sum) => `v128.xor(${all}, ${sum})`)}, 0);
}`;

const BASELINE = [
  loop('mulAdd', 'f32', 'f32x4.splat', sum => `f32x4.add(f32x4.mul(${sum}, x), y)`),
  loop('dot', 'i32', 'i32x4.splat', sum => `i32x4.add(i32x4.dot_i16x8_s(${sum}, x), y)`),
].join('\n');
const RELAXED = [
  loop(
    'pairs',
    'i32',
    'i32x4.splat',
    sum => `i16x8.add(i16x8.relaxed_dot_i8x16_i7x16_s(${sum}, x), y)`,
  ),
  loop('fours', 'i32', 'i32x4.splat', sum => `i32x4.relaxed_dot_i8x16_i7x16_add_s(x, y, ${sum})`),
].join('\n');

export async function measurePeaks(kernels: Kernels): Promise<Peaks> {
  const baseline = await functionsOf(BASELINE, false);
  const relaxed = canRun('relaxed') ? await functionsOf(RELAXED, true) : undefined;
  return {
    read: await measureRead(kernels),
    mulAdd: gops(() => baseline.mulAdd(0.5, 1), 8),
    dot: gops(() => baseline.dot(3, 1), 16),
    pairs: relaxed && gops(() => relaxed.pairs(3, 1), 32),
    fours: relaxed && gops(() => relaxed.fours(3, 1), 32),
  };
}

async function measureRead({ memory }: Kernels): Promise<number> {
  const { exports } = new WebAssembly.Instance(await compileReader(), {
    env: { memory, abort: () => {} },
  });
  const { touch, read } = exports as Record<
    'touch' | 'read',
    (start: number, bytes: number) => unknown
  >;
  const size = memory.buffer.byteLength;
  touch(0, size);
  let start = 0;
  const time = best(() => {
    read(start, SLICE);
    start = (start + SLICE) % size;
  });
  return SLICE / time / 1e6;
}

function gops(run: () => void, operations: number): number {
  return (operations * SUMS.length * ROUNDS) / best(run, 500) / 1e6;
}

async function functionsOf(source: string, relaxed: boolean) {
  const bytes = await compileAssemblyScript(
    source,
    relaxed ? ['simd', 'threads', 'relaxed-simd'] : ['simd', 'threads'],
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory, abort: () => {} },
  });
  return instance.exports as Record<
    'mulAdd' | 'dot' | 'pairs' | 'fours',
    (p: number, q: number) => number
  >;
}
