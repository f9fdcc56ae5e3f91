/** Rotary embeddings that are not the model's: what the mutants of `rope.ts` are made of. */
import type { Tensor } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { rope, ropeFrequencies } from '../../ops/rope.js';
import {
  divisorsOf,
  type RopeScaling,
  scaleFrequencies,
} from '../../ops/rope-scaling/rope-scaling.js';
import { ROUNDINGS } from '../../ops/rounding.js';
import { cos, sin } from '../../ops/sin-cos.js';
import type { Setup } from '../run/setup.js';
import { changeConfig, changeKernels, copyOf } from './changes.js';
import { fromOrder, toOrder } from './order.js';

/** The frequencies are scaled by other numbers. */
export const changeFactor = (setup: Setup, change: (factor: number) => number): Setup => {
  const { ropeScaling } = setup.config;
  return ropeScaling === undefined
    ? setup
    : changeConfig(setup, { ropeScaling: withFactor(ropeScaling, change) });
};

const withFactor = (scaling: RopeScaling, change: (factor: number) => number): RopeScaling =>
  scaling.type === 'factors'
    ? { ...scaling, factors: scaling.factors.map(change) }
    : { ...scaling, factor: change(scaling.factor) };

export const largestDivisor = ({ ropeScaling }: LlamaConfig): number =>
  ropeScaling === undefined ? 1 : Math.max(...divisorsOf(ropeScaling));

export const changeFrequencies = (
  setup: Setup,
  change: (own: Float32Array) => Float32Array,
): Setup =>
  changeKernels(setup, kernels => ({
    ropeTable: (cosines, sines, positions, frequencies) =>
      kernels.ropeTable(cosines, sines, positions, change(frequencies)),
  }));

/** The table of cosines and sines is another, once it is made. */
export const changeTable = (
  setup: Setup,
  change: (cosines: Tensor, sines: Tensor) => void,
): Setup =>
  changeKernels(setup, kernels => ({
    ropeTable(cosines, sines, ...rest) {
      kernels.ropeTable(cosines, sines, ...rest);
      change(cosines, sines);
    },
  }));

/** Point i of a head is not (x[i], x[i + d/2]) but what `order` has at these places. */
export const changePairs = (setup: Setup, order: readonly number[]): Setup =>
  changeKernels(setup, kernels => ({
    rope(x, cosines, sines) {
      toOrder(x, order);
      kernels.rope(x, cosines, sines);
      fromOrder(x, order);
    },
  }));

/** Only queries, or only keys, are rotated. */
export const rotateOnly = (setup: Setup, queries: boolean): Setup =>
  changeKernels(setup, (kernels, now) => ({
    rope(x, cosines, sines) {
      const unrotated = x.data.slice();
      kernels.rope(x, cosines, sines);
      if (now.isQuery !== queries) x.data.set(unrotated);
    },
  }));

export function rotateValues(setup: Setup): Setup {
  let table: readonly [Tensor, Tensor];
  return changeKernels(setup, kernels => ({
    ropeTable(cosines, sines, ...rest) {
      table = [cosines, sines];
      kernels.ropeTable(cosines, sines, ...rest);
    },
    store(layer, keys, values, rows) {
      const rotated = copyOf(values);
      rope(rotated, ...table, ROUNDINGS.f64);
      kernels.store(layer, keys, rotated, rows);
    },
  }));
}

export const rotateTwice = (setup: Setup): Setup =>
  changeKernels(setup, kernels => ({
    rope(x, cosines, sines) {
      kernels.rope(x, cosines, sines);
      rope(x, cosines, sines, ROUNDINGS.f64);
    },
  }));

/** θ^(−2i/D): every second frequency of a head of 2D numbers. */
export function useHiddenSize(setup: Setup): Setup {
  const { hiddenSize, headDim, ropeTheta, ropeScaling } = setup.config;
  const all = ropeFrequencies(2 * hiddenSize, ropeTheta);
  const frequencies = Float32Array.from({ length: headDim / 2 }, (_, i) => all[2 * i]);
  if (ropeScaling !== undefined) scaleFrequencies(frequencies, ropeScaling);
  return changeFrequencies(setup, () => frequencies);
}

/** The first half of a head, or one number less if that is odd, as a head of its own. */
export function rotateFirstHalf(setup: Setup): Setup {
  const { headDim, ropeTheta, ropeScaling } = setup.config;
  const points = Math.floor(headDim / 4);
  const half = headDim / 2;
  const own = ropeFrequencies(2 * points, ropeTheta, ropeScaling);
  // the others are paired somehow, and turn by 0
  const frequencies = Float32Array.from({ length: half }, (_, i) => own[i] ?? 0);
  const order = Array.from({ length: headDim }, (_, at) => {
    const point = at % half;
    const isSecond = at >= half;
    if (point < points) return isSecond ? points + point : point;
    return isSecond ? half + point : points + point;
  });
  return changePairs(
    changeFrequencies(setup, () => frequencies),
    order,
  );
}

export const roundAngles = (setup: Setup, round: (x: number) => number): Setup =>
  changeKernels(setup, kernels => ({
    ropeTable(cosines, sines, positions, frequencies) {
      kernels.ropeTable(cosines, sines, positions, frequencies);
      for (const [r, position] of positions.entries()) {
        for (const [i, frequency] of frequencies.entries()) {
          const angle = round(Math.fround(position * frequency));
          cosines.data[r * frequencies.length + i] = cos(angle);
          sines.data[r * frequencies.length + i] = sin(angle);
        }
      }
    },
  }));
