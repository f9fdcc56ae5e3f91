/**
 * What loading does with every number: widening it to float32 if it has 16 bits, and packing it.
 */
import type { KernelExports } from '../../src/engines/wasm/kernels/exports.js';
import { best } from '../best.js';
import type { Kernels } from './kernels.js';

const M = 4096;
const TILE = 16;
const [FROM, TO] = [1, 2].map(i => i * 2 ** 20);

const PACKERS = ['packF32', 'packBF16', 'packF16', 'packQ8', 'packQ4'] as const;
const WIDENERS = ['widenF16', 'widenBF16'] as const;

/** By name of the kernel: how many numbers per second, in 10^6. */
export function measurePacking({ exports, numbers }: Kernels): Map<keyof KernelExports, number> {
  numbers(FROM, TILE * M);
  const rate = (run: () => void) => (TILE * M) / best(run, 500) / 1e3;
  return new Map<keyof KernelExports, number>([
    ...PACKERS.map(name => [name, rate(() => exports[name](TO, FROM, M, M, TILE))] as const),
    ...WIDENERS.map(name => [name, rate(() => exports[name](TO, FROM, TILE * M))] as const),
  ]);
}
