/**
 * Where, and to what, an implementation rounds.
 *
 * Hugging Face's eager mode in bfloat16, for instance, normalises and takes its softmax in float32,
 * accumulates products in float32, and stores every activation in bfloat16. Two roundings and the
 * type of partial sums say all of it: `compute` is applied to each elementary step inside an
 * operation, `store` to every activation that an operation hands on.
 *
 * | numerics | partial sums | compute | store | imitates                                       |
 * |----------|--------------|---------|-------|------------------------------------------------|
 * | f64      | float64      | float64 | f64   | the formulas: what an oracle compares to       |
 * | f32      | float32      | float32 | f32   | transformers, eager, torch_dtype=float32       |
 * | bf16     | float32      | float32 | bf16  | transformers, eager, torch_dtype=bfloat16      |
 * | f16      | float32      | float32 | f16   | transformers, eager, torch_dtype=float16       |
 *
 * A 16-bit result passes through float32 first, because that is how a processor gets it: the two
 * roundings are not always one.
 *
 * Not imitated: torch's vectorised order of summation in the mean of RMSNorm and the sum of softmax
 * (here float64, rounded once), and the last bit of its exp, sin and cos.
 */
import { roundToBF16, roundToF16 } from '../base/half.js';
import type { Floats } from '../base/tensor.js';
import { type Dot, dotFloat32, dotFloat64 } from './dot.js';

/** The arithmetics of the exact kernels, by name. */
export type NumericsName = 'f64' | 'f32' | 'bf16' | 'f16';

/** Where an implementation rounds, and to what. */
export interface Rounding {
  readonly name: NumericsName;
  /** Rounds each elementary step inside an operation. */
  compute(x: number): number;
  /** Rounds every activation that an operation hands on. */
  store(x: number): number;
  /** Holds activations, caches and partial sums. */
  readonly Numbers: new (
    length: number,
  ) => Floats;
  /** How many terms of a sum are added up before the next partial sum is begun. */
  readonly sumBlock: number;
  readonly dot: Dot;
}

const exactly = (x: number): number => x;
const float32 = { compute: Math.fround, Numbers: Float32Array };

/** MKL's sgemm, which PyTorch calls for float32. */
const MKL_BLOCK = 384;
/** oneDNN's matrix multiplication, which PyTorch calls for bfloat16 and float16. */
const ONEDNN_BLOCK = 1024;
const oneDnn = { sumBlock: ONEDNN_BLOCK, dot: dotFloat32(ONEDNN_BLOCK) };

/** The arithmetics of the exact kernels: see the table at the head of this file. */
export const ROUNDINGS: Readonly<Record<NumericsName, Rounding>> = {
  f64: {
    name: 'f64',
    compute: exactly,
    store: exactly,
    Numbers: Float64Array,
    sumBlock: Infinity,
    dot: dotFloat64,
  },
  f32: {
    name: 'f32',
    ...float32,
    store: Math.fround,
    sumBlock: MKL_BLOCK,
    dot: dotFloat32(MKL_BLOCK),
  },
  bf16: { name: 'bf16', ...float32, ...oneDnn, store: x => roundToBF16(Math.fround(x)) },
  f16: { name: 'f16', ...float32, ...oneDnn, store: x => roundToF16(Math.fround(x)) },
};
