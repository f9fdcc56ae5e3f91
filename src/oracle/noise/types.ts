/**
 * The types that an implementation can declare: what honest arithmetic in them rounds, and to what.
 *
 * | type           | weights              | activations                          | keys, values |
 * |----------------|----------------------|--------------------------------------|--------------|
 * | f32            | float32              | float32                              | float32      |
 * | bf16           | bf16                 | bf16 or float32, at each place       | bf16 … f32   |
 * | f16            | f16                  | f16 or float32, at each place        | f16, f32     |
 * | block formats  | as they are decoded  | 8-bit blocks, f16 or float32         | f16, f32     |
 *
 * Weights in the declared type belong to the truth: whoever computes in bf16 has other weights, and
 * must compute with those rightly.
 */
import { LlamaError, show } from '../../base/errors.js';
import { roundToBF16, roundToF16 } from '../../base/half.js';
import { BLOCK_UNITS } from '../../model/dtypes.js';

export type Round = (x: number) => number;

export const ROUND: Readonly<Record<Precision, Round>> = {
  f32: Math.fround,
  bf16: x => roundToBF16(Math.fround(x)),
  f16: x => roundToF16(Math.fround(x)),
};

/** A type in which every number stands alone. */
export type Precision = 'f32' | 'bf16' | 'f16';

/** What a declared type allows. */
export interface DeclaredType {
  readonly name: string;
  /** To what weights are rounded; as the files have them where it is not given. */
  readonly weights?: Precision | undefined;
  /** The least precise type in which activations may be handed on. */
  readonly store: Precision;
  /** How many numbers share a scale where activations are rounded to 8 bits. */
  readonly activationBlock?: number;
  /** In which types keys and values may be kept. */
  readonly cache: readonly Precision[];
}

const PRECISIONS: readonly DeclaredType[] = [
  { name: 'f32', weights: 'f32', store: 'f32', cache: ['f32'] },
  { name: 'bf16', weights: 'bf16', store: 'bf16', cache: ['bf16', 'f16', 'f32'] },
  { name: 'f16', weights: 'f16', store: 'f16', cache: ['f16', 'f32'] },
];

/** llama.cpp multiplies blocks of 32 with activations in Q8_0, and those of 256 with Q8_K. */
const BLOCKS: readonly DeclaredType[] = Object.entries(BLOCK_UNITS).map(([name, { numbers }]) => ({
  name: name.toLowerCase(),
  store: 'f32',
  activationBlock: numbers,
  cache: ['f16', 'f32'],
}));

/** By their names; from the most precise to the least. */
export const DECLARED_TYPES: ReadonlyMap<string, DeclaredType> = new Map(
  [...PRECISIONS, ...BLOCKS].map(type => [type.name, type]),
);

/**
 * The type of that name; of a mixture, such as q4_k_m, the one that it is named for.
 * @throws {LlamaError} BAD_OPTION for one that is not known.
 */
export function declaredType(name: string, cache?: Precision): DeclaredType {
  const key = name.toLowerCase().replace(/_[sml]$/, '');
  const type = DECLARED_TYPES.get(key);
  if (type === undefined) {
    const known = [...DECLARED_TYPES.keys()].join(', ');
    throw new LlamaError('BAD_OPTION', `there is no type ${show(name)}; choose of ${known}`);
  }
  return cache === undefined ? type : { ...type, cache: [cache] };
}
