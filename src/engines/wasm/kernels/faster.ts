/**
 * Is the build that sums products by fours faster than the one that sums them by pairs? It is where
 * the processor has an instruction for it, which nothing tells but a clock: a twentieth of a
 * second, once per process.
 */

import { allocateMemory, UNIT_BYTES } from '../memory/shared-memory.js';
import { blocksOf, TILE, tileBytes } from '../memory/weight-formats.js';
import type { KernelExports } from './exports.js';

const MILLISECONDS = 50; // the optimizing compiler takes over after some ten
const CALLS = 20; // a slice of some 50 μs
/** Must be faster by more than chance. */
const MARGIN = 0.9;

const COLUMNS = 1024;
const ROWS = 4;
const OUT = 65_536;

/**
 * False if the two differ in any bit, before or after the optimizing compiler: then the instruction
 * cannot be trusted.
 */
export function isFasterAndEqual(
  candidate: WebAssembly.Module,
  standard: WebAssembly.Module,
): boolean {
  const sides = [candidate, standard].map(module => linearLayer(module));
  const first = sides.map(({ result }) => result());
  const shortest = [Infinity, Infinity];
  for (const end = performance.now() + MILLISECONDS; performance.now() < end; ) {
    sides.forEach(({ run }, i) => {
      const start = performance.now();
      run();
      shortest[i] = Math.min(shortest[i], performance.now() - start);
    });
  }
  const last = sides.map(({ result }) => result());
  const isEqual = [...first, ...last].every(bits => bits === first[0]);
  return isEqual && shortest[0] < MARGIN * shortest[1];
}

/** One tile of q4_0 weights and four rows, in a memory of its own. */
function linearLayer(module: WebAssembly.Module): { run: () => void; result: () => string } {
  const memory = allocateMemory(3 * UNIT_BYTES);
  const kernels = new WebAssembly.Instance(module, { env: { memory } })
    .exports as unknown as KernelExports;
  const blocks = blocksOf(COLUMNS);
  const weights = OUT + ROWS * TILE * 4;
  const quants = weights + tileBytes('q4_0', COLUMNS);
  const scales = quants + ROWS * COLUMNS;
  const sums = scales + ROWS * blocks * 4;
  const numbers = new Float32Array(memory.buffer, 0, TILE * COLUMNS);
  numbers.forEach((_, i) => {
    numbers[i] = ((i * 7919) % 1009) / 1009 - 0.5;
  });
  kernels.packQ4(weights, 0, COLUMNS, COLUMNS, TILE);
  kernels.quantize8(quants, scales, sums, 0, COLUMNS, COLUMNS, 0, ROWS);
  const multiply = () =>
    kernels.matmulQ4(OUT, TILE, quants, scales, sums, ROWS, weights, blocks, 0, 1);
  const run = () => {
    for (let i = 0; i < CALLS; i++) multiply();
  };
  const result = () => {
    multiply();
    return new Uint32Array(memory.buffer, OUT, ROWS * TILE).join();
  };
  return { run, result };
}
