/**
 * Does a model fit into this machine? The one sum that `estimate` prints, and that is checked
 * before anything is allocated.
 */
import { check } from '../../../base/errors.js';
import { platform } from '../platform/here.js';
import { PAGE_POSITIONS } from './cache-formats.js';
import type { MemoryLayout } from './layout.js';

/** In bytes. */
export interface MemoryNeeds {
  readonly weights: number;
  /** Keys and values. */
  readonly cache: number;
  /** Activations, alignment; Node and its threads. */
  readonly scratch: number;
  readonly total: number;
}

/**
 * What Node takes beside the memories, 45 MB and 10 MB a thread on Node 20, some more on Node 24;
 * rounded up.
 */
const PROCESS_BYTES = 64 * 2 ** 20;
const THREAD_BYTES = 12 * 2 ** 20;

/** What `layout` takes with `positions` of text. */
export function memoryNeeds(
  { banks, places, threads }: MemoryLayout,
  positions: number,
): MemoryNeeds {
  const pages = Math.ceil(positions / PAGE_POSITIONS);
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const weights = sum(Object.values(places).map(({ bytes }) => bytes));
  const cache = pages * sum(banks.map(({ pageBytes }) => pageBytes));
  const fixed = sum(banks.map(({ kvBase }) => kvBase)) + PROCESS_BYTES + threads * THREAD_BYTES;
  return { weights, cache, scratch: fixed - weights, total: fixed + cache };
}

/** Throws OUT_OF_MEMORY unless the machine has room for `layout` with `positions` of text. */
export function checkMemory(layout: MemoryLayout, positions: number): void {
  const { weights, cache, scratch, total } = memoryNeeds(layout, positions);
  const machine = platform.memoryBytes();
  check(total <= machine, 'OUT_OF_MEMORY', () => {
    const text = positions === 0 ? '' : ` + ${cache} for keys and values of ${positions} positions`;
    return (
      `${total} bytes do not fit into the ${machine} of this machine: ${weights} for ` +
      `weights${text} + ${scratch} for scratch; choose smaller weights, such as ` +
      `q4_0${positions === 0 ? '' : ', fewer positions, or a smaller cache, such as q8'}`
    );
  });
}
