/**
 * Does a model fit into this machine? The one sum that `estimate` prints, and that is checked
 * before anything is allocated.
 */

import { check } from '../../../base/errors.js';
import { sum } from '../../../base/sum.js';
import { PAGE_POSITIONS } from '../../../model/sequence.js';
import { platform } from '../platform/here.js';
import { type MemoryLayout, pageBytesOf } from './layout.js';
import { TABLE } from './weight-items.js';

/** In bytes. */
export interface MemoryNeeds {
  readonly weights: number;
  /** Keys and values. */
  readonly cache: number;
  /** Activations, alignment; Node, its threads and the vocabulary. */
  readonly scratch: number;
  readonly total: number;
}

/**
 * What Node takes beside the memories, at its peak while a model is loaded: 66 MB with this program
 * in it, some 60 MB that are read and not yet collected, and 10 MB a thread; rounded up.
 */
const PROCESS_BYTES = 128 * 2 ** 20;
const THREAD_BYTES = 12 * 2 ** 20;
/** A token and what is read of it: 0.4 kB with SentencePiece, 1 kB where there are merges. */
const TOKEN_BYTES = 2 ** 10;

/** What `layout` takes with `positions` of text. */
export function memoryNeeds(
  { banks, places, threads }: MemoryLayout,
  positions: number,
): MemoryNeeds {
  const pages = Math.ceil(positions / PAGE_POSITIONS);
  const weights = sum(Object.values(places).map(({ bytes }) => bytes));
  const cache = pages * pageBytesOf({ banks });
  const [vocabSize] = places[TABLE].shape;
  const process = PROCESS_BYTES + threads * THREAD_BYTES + vocabSize * TOKEN_BYTES;
  const fixed = sum(banks.map(({ kvBase }) => kvBase)) + process;
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
