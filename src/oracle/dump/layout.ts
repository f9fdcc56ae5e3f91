/**
 * How the numbers of a tensor lie: with which rows, and with heads side by side in a row, as in
 * `src/model/trace.ts`, or one after the other, as attention has them.
 *
 * | shape                      | tensors                                                    |
 * |----------------------------|------------------------------------------------------------|
 * | [R, width]                 | all but probabilities                                      |
 * | [R, H, d], [H, R, d]       | those of heads: queries, keys, values and what they become |
 * | [R, H, T], [H, R, T]       | probabilities                                              |
 *
 * R are all T tokens or the P positions; axes of 1 may stand before.
 */
import { LlamaError, show } from '../../base/errors.js';
import { elementCount, type Floats } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import type { LoadedTensor } from './given.js';
import type { Notes } from './notes.js';
import { permuteAxes } from './permute.js';

/** The places of the text that a tensor can have rows for. */
export interface Places {
  readonly all: readonly number[];
  readonly positions: readonly number[];
}

export interface LaidOut {
  readonly rows: readonly number[];
  readonly shape: readonly number[];
  readonly data: Floats;
}

type Letter = 'V' | 'D' | 'F' | 'H' | 'K' | 'd' | 'T';

/** The sizes of a row, by the end of the name; D where it is not here. */
const ROWS: ReadonlyMap<string, readonly Letter[]> = new Map<string, readonly Letter[]>([
  ['q_proj', ['H', 'd']],
  ['k_proj', ['K', 'd']],
  ['v_proj', ['K', 'd']],
  ['q_rotated', ['H', 'd']],
  ['k_rotated', ['K', 'd']],
  ['context', ['H', 'd']],
  ['probabilities', ['H', 'T']],
  ['gate_proj', ['F']],
  ['up_proj', ['F']],
  ['swiglu', ['F']],
  ['lm_head', ['V']],
]);

interface Layout {
  readonly rows: readonly number[];
  readonly shape: readonly number[];
  /** Whether the first two axes must change places. */
  readonly isTurned: boolean;
}

/**
 * The tensor as a trace has it.
 * @throws {LlamaError} TENSOR_MISMATCH if its shape is none of those that it can have, or more than
 * one.
 */
export function layOut(
  name: string,
  { shape, data }: LoadedTensor,
  config: LlamaConfig,
  places: Places,
  where: string,
  notes: Notes,
): LaidOut {
  const letters = ROWS.get(name.slice(name.lastIndexOf('.') + 1)) ?? ['D'];
  const sizes = letters.map(letter => sizesOf(config, places)[letter]);
  const found = layouts(letters, sizes, places).filter(layout => fits(shape, layout.shape));
  if (found.length === 0)
    throw mismatch(`${where} ${describeShape(shape, letters, sizes, places)}`);
  const [layout] = found;
  // Whoever picks out positions has rows; modules give all rows of a head.
  const isPicked = layout.rows.length < places.all.length;
  if (!isPicked && found.some(({ isTurned }) => isTurned !== layout.isTurned))
    throw mismatch(unclear(where, shape));
  const { rows, isTurned } = layout;
  if (shape.length > layout.shape.length) notes.add('without their leading axes of 1', name);
  if (isTurned) notes.add('turned from heads of rows to rows of heads', name);
  return {
    rows,
    shape: letters[1] === 'T' ? [rows.length, ...sizes] : [rows.length, elementCount(sizes)],
    data: isTurned ? permuteAxes(data, layout.shape, [1, 0, 2]) : data,
  };
}

function sizesOf(config: LlamaConfig, { all }: Places): Readonly<Record<Letter, number>> {
  return {
    V: config.vocabSize,
    D: config.hiddenSize,
    F: config.intermediateSize,
    H: config.numAttentionHeads,
    K: config.numKeyValueHeads,
    d: config.headDim,
    T: all.length,
  };
}

/** Where the positions are all tokens, rows have the order of the positions. */
function layouts(
  letters: readonly Letter[],
  sizes: readonly number[],
  { all, positions }: Places,
): Layout[] {
  const choices = positions.length === all.length ? [positions] : [positions, all];
  return choices.flatMap(rows => {
    const R = rows.length;
    const plain = [R, elementCount(sizes)];
    if (sizes.length === 1) return [{ rows, shape: plain, isTurned: false }];
    const [heads, width] = sizes;
    // with one row or one head the order is the same
    const turned = { rows, shape: [heads, R, width], isTurned: R > 1 && heads > 1 };
    const apart = { rows, shape: [R, heads, width], isTurned: false };
    return letters[1] === 'T'
      ? [apart, turned]
      : [{ rows, shape: plain, isTurned: false }, apart, turned];
  });
}

/** Whether `shape` is `expected`, perhaps with axes of 1 before it. */
function fits(shape: readonly number[], expected: readonly number[]): boolean {
  const extra = shape.length - expected.length;
  return (
    extra >= 0 && shape.every((size, axis) => size === (axis < extra ? 1 : expected[axis - extra]))
  );
}

const mismatch = (message: string) => new LlamaError('TENSOR_MISMATCH', message);

function describeShape(
  shape: readonly number[],
  letters: readonly Letter[],
  sizes: readonly number[],
  { all, positions }: Places,
): string {
  const isWhole = positions.length === all.length;
  const row = letters[1] === 'T' ? letters.join(', ') : letters.join('·');
  const rowSize = letters[1] === 'T' ? sizes.join(', ') : elementCount(sizes);
  const expected = isWhole
    ? `[T, ${row}], which is [${all.length}, ${rowSize}]; if it has rows of some places only, ` +
      'give these as positions'
    : `[T, ${row}] or [P, ${row}], T being ${all.length} tokens and P ${positions.length} ` +
      `positions, and ${row} ${rowSize}`;
  return `has the shape ${show(shape)}, and must have ${expected}`;
}

const unclear = (where: string, shape: readonly number[]) =>
  `${where} has the shape ${show(shape)}, in which heads and rows cannot be told apart; ` +
  'give the rows of all heads side by side, [T, H·d], or another number of tokens';
