/**
 * Numbers for models of any size, as fast as a disk can write them: every tensor is cut from one
 * table of a million normal numbers, at places that depend on its name. The same in every run, and
 * in every file format.
 */
import { roundToF16 } from '../src/base/half.js';
import { BLOCK, encodeGgml, type GgmlType, ggmlBytes } from './ggml-types.js';
import type { Numbers } from './numbers.js';

const TABLE_LENGTH = 2 ** 20;
const STANDARD_DEVIATION = 0.02; // a freshly initialised Llama's

let table: Float32Array | undefined;

/** Each of them is an f16, so that a file of f32 and one of f16 hold the same model. */
export function normalTable(): Float32Array {
  if (table !== undefined) return table;
  const random = uniform(1);
  table = Float32Array.from({ length: TABLE_LENGTH }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return roundToF16(STANDARD_DEVIATION * radius * Math.cos(2 * Math.PI * random()));
  });
  return table;
}

/** Matrices from `from`, a table of as many numbers; norms always as `normalTable` has them. */
export function randomNumbers(from: Float32Array = normalTable()): Numbers {
  const encoded = new Map<GgmlType, Uint8Array>();
  const bytesOf = (type: GgmlType): Uint8Array => {
    const bytes = encoded.get(type) ?? encodeGgml(type, from);
    encoded.set(type, bytes);
    return bytes;
  };
  return {
    *matrix(name, count, type) {
      const bytes = bytesOf(type);
      for (const [start, end] of tablePieces(name, count)) {
        yield bytes.subarray(ggmlBytes(type, start), ggmlBytes(type, end));
      }
    },
    vector: normWeights,
  };
}

/**
 * Which parts [start, end) of the table make up the `count` numbers of the tensor `name`. They
 * begin and end at multiples of a block, so that the table may be quantized once, and the blocks
 * copied.
 */
function* tablePieces(
  name: string,
  count: number,
): Generator<readonly [start: number, end: number]> {
  const random = uniform(seedOf(name));
  for (let left = count; left > 0; ) {
    const start = Math.floor(random() * (TABLE_LENGTH / BLOCK)) * BLOCK;
    const length = Math.min(left, TABLE_LENGTH - start);
    yield [start, start + length];
    left -= length;
  }
}

/** Around 1. */
function normWeights(name: string, count: number): Float32Array {
  const [[start]] = tablePieces(name, BLOCK);
  return Float32Array.from({ length: count }, (_, i) =>
    roundToF16(1 + normalTable()[(start + i) % TABLE_LENGTH]),
  );
}

function seedOf(name: string): number {
  return [...name].reduce(
    (hash, letter) => Math.imul(hash ^ letter.codePointAt(0)!, 16777619),
    2166136261,
  );
}

/** Mulberry32: numbers in [0, 1), small and good enough for this. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
