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

/**
 * Sums: with 128 bits, of 4 to 14, which the registers hold beside two operands, the fastest. With
 * 256 a register holds two.
 */
const SUMS = { narrow: 12, wide: 24 };
export type Width = keyof typeof SUMS;

const ROUNDS = 100_000;
/** Where the operands of the loops lie: numbers of 0.5, which stay normal. */
const AT = 1024;
/** As much as the kernels read in one slice. */
export const SLICE = 2 ** 23;

// Operands are loaded, because constants would be built again at every use. Sums begin in memory
// and end there, pairs side by side: so V8's revectorizer takes two for one of 256 bits.
const loop = (name: string, sums: number, step: (sum: string) => string) => {
  const all = Array.from({ length: sums }, (_, i) => [`s${i}`, 64 + 16 * i] as const);
  return `
export function ${name}(at: usize): void {
  const x = v128.load32_splat(at), y = v128.load32_splat(at, 4);
  ${all.map(([sum, place]) => `let ${sum} = v128.load(at, ${place});`).join('\n  ')}
  for (let i = 0; i < ${ROUNDS}; i++) {
    ${all.map(([sum]) => `${sum} = ${step(sum)};`).join('\n    ')}
  }
  ${all.map(([sum, place]) => `v128.store(at, ${sum}, ${place + 1024});`).join('\n  ')}
}`;
};

const baseline = (sums: number) =>
  [
    loop('mulAdd', sums, sum => `f32x4.add(f32x4.mul(${sum}, x), y)`),
    loop('dot', sums, sum => `i32x4.add(i32x4.dot_i16x8_s(${sum}, x), y)`),
  ].join('\n');
const relaxed = (sums: number) =>
  [
    loop('pairs', sums, sum => `i16x8.add(i16x8.relaxed_dot_i8x16_i7x16_s(${sum}, x), y)`),
    loop('fours', sums, sum => `i32x4.relaxed_dot_i8x16_i7x16_add_s(x, y, ${sum})`),
  ].join('\n');

/** `wide` says something only in a process with V8's flag. */
export async function measurePeaks(kernels: Kernels, width: Width = 'narrow'): Promise<Peaks> {
  const sums = SUMS[width];
  const plain = await functionsOf(baseline(sums), false);
  const dots = canRun('relaxed') ? await functionsOf(relaxed(sums), true) : undefined;
  const gops = (run: (at: number) => void, operations: number) =>
    (operations * sums * ROUNDS) / best(() => run(AT), 500) / 1e6;
  return {
    read: await measureRead(kernels),
    mulAdd: gops(plain.mulAdd, 8),
    dot: gops(plain.dot, 16),
    pairs: dots && gops(dots.pairs, 32),
    fours: dots && gops(dots.fours, 32),
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

async function functionsOf(source: string, relaxed: boolean) {
  const bytes = await compileAssemblyScript(
    source,
    relaxed ? ['simd', 'threads', 'relaxed-simd'] : ['simd', 'threads'],
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  new Float32Array(memory.buffer, 0, 1024).fill(0.5);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory, abort: () => {} },
  });
  return instance.exports as Record<'mulAdd' | 'dot' | 'pairs' | 'fours', (at: number) => void>;
}
