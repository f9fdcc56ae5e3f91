/**
 * The model in an arithmetic that somebody might have, drawn at random: what it sums in which
 * order, where it rounds, how good its exponentials and angles are. None of them is wrong. How far
 * they lie from the exact result, and from each other, is what a budget is made of.
 */
import type { Floats, Tensor } from '../../base/tensor.js';
import {
  ExactKernels,
  type OperationRoundings,
  type Past,
} from '../../engines/exact/exact-kernels.js';
import type { Kernels } from '../../model/kernels.js';
import { dotFloat64 } from '../../ops/dot.js';
import type { Rounding } from '../../ops/rounding.js';
import { override } from '../run/run.js';
import type { Setup } from '../run/setup.js';
import { drawDot } from './dot.js';
import { withHalfSums } from './half-sums.js';
import { quantize, toEightBits } from './quantized.js';
import { choose, type Random, randomFrom } from './random.js';
import { type DeclaredType, ROUND, type Round } from './types.js';

/** Half a unit in the last place of float32. */
const EPSILON = 2 ** -24;
/** Errors of an elementary function, in such halves: exact, a good one, a fast one. */
const FUNCTION_ERRORS = [0, 2, 4];
/** Angles are found by powers, or one from the other, which adds up. */
const ANGLE_ERRORS = [0, 1, 3];
/** The part of drawn arithmetics that round wherever the type allows it. */
const ROUND_EVERYWHERE = 1 / 3;

/** `setup` in the arithmetic that `seed` draws; its weights are those of the type already. */
export function noisy(setup: Setup, type: DeclaredType, seed: number): Setup {
  const random = randomFrom(seed);
  const isThorough = random() < ROUND_EVERYWHERE;
  const kernels = new ExactKernels(drawRoundings(random, type, isThorough));
  const cache = isThorough ? type.cache[0] : choose(random, type.cache);
  const attending = cache === 'f16' && random() < 0.5 ? withHalfSums(kernels) : kernels;
  const isExactCache = type.store === 'f32' && type.cache[0] === 'f32';
  return {
    ...setup,
    kernels: withAngles(withInputs(attending, random, type, isThorough), random),
    past: isExactCache ? setup.past : kept(setup.past, ROUND[cache]),
  };
}

function drawRoundings(
  random: Random,
  type: DeclaredType,
  isThorough: boolean,
): OperationRoundings {
  const draw = () => drawRounding(random, type, isThorough);
  return {
    rmsnorm: draw(),
    matmul: draw(),
    rope: draw(),
    attention: draw(),
    swiglu: draw(),
    add: draw(),
  };
}

/** In float32, or in the type's own with sums so much better that they need not be imitated. */
function drawRounding(random: Random, type: DeclaredType, isThorough: boolean): Rounding {
  const error = choose(random, FUNCTION_ERRORS) * EPSILON;
  const compute: Round =
    error === 0 ? Math.fround : x => Math.fround(x * (1 + (2 * random() - 1) * error));
  if (type.store === 'f32' && type.activationBlock === undefined) {
    const sumBlock = choose(random, [1, 16, 64, 384, Infinity]);
    const dot = drawDot(random);
    return { name: 'f32', compute, store: Math.fround, Numbers: Float32Array, sumBlock, dot };
  }
  const store = ROUND[isThorough || random() < 0.5 ? type.store : 'f32'];
  const Numbers = Float64Array;
  return { name: 'f32', compute, store, Numbers, sumBlock: Infinity, dot: dotFloat64 };
}

/** Matrices may be multiplied with inputs that were rounded on the way in. */
function withInputs(
  kernels: Kernels<Tensor>,
  random: Random,
  { store, activationBlock }: DeclaredType,
  isThorough: boolean,
): Kernels<Tensor> {
  const isRounded = isThorough || random() < 0.5;
  if (!isRounded || (store === 'f32' && activationBlock === undefined)) return kernels;
  const roundScale = choose(random, [ROUND.f16, ROUND.f32]);
  const rounded = ({ shape, data }: Tensor): Tensor => {
    const numbers =
      activationBlock === undefined
        ? Float64Array.from(data, ROUND[store])
        : quantize(data, shape[1], toEightBits(roundScale), activationBlock);
    return { shape, data: numbers };
  };
  return override(kernels, {
    matmul: (out, x, weight) => kernels.matmul(out, rounded(x), weight),
  });
}

function withAngles(kernels: Kernels<Tensor>, random: Random): Kernels<Tensor> {
  const error = choose(random, ANGLE_ERRORS) * EPSILON;
  return override(kernels, {
    ropeTable: (cosines, sines, positions, frequencies) => {
      const drawn = frequencies.map(f => f * (1 + (2 * random() - 1) * error));
      kernels.ropeTable(cosines, sines, positions, drawn);
    },
  });
}

const kept = (past: Past, round: Round): Past => {
  const rounded = (x: Floats) => Float64Array.from(x, round);
  return {
    write: (layer, position, keys, values) =>
      past.write(layer, position, rounded(keys), rounded(values)),
    visible: (layer, position) => past.visible(layer, position),
  };
};
