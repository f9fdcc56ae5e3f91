/**
 * The parts of a setup, one of them changed: kernels that do something else, weights, keys and
 * values, positions.
 *
 * Changed kernels call those beneath them in the order in which the model calls them, each
 * operation once, so that several changes can lie upon one another.
 */
import type { Floats, Tensor } from '../../base/tensor.js';
import type { Past } from '../../engines/exact/exact-kernels.js';
import type { LlamaConfig } from '../../model/config.js';
import type { Kernels, ModelWeights } from '../../model/kernels.js';
import type { LayerWeights } from '../../model/weights.js';
import { override } from '../run/run.js';
import type { Setup } from '../run/setup.js';
import { CallOrder } from './call-order.js';

export const changeConfig = (setup: Setup, changes: Partial<LlamaConfig>): Setup => ({
  ...setup,
  config: { ...setup.config, ...changes },
});

/** `change` gets the kernels beneath, and `now`, which says what an operation is computed for. */
export function changeKernels(
  setup: Setup,
  change: (kernels: Kernels<Tensor>, now: CallOrder) => Partial<Kernels<Tensor>>,
): Setup {
  const now = new CallOrder(setup.config.numHiddenLayers);
  const changed = override(setup.kernels, change(setup.kernels, now));
  return { ...setup, kernels: now.follow(changed) };
}

export function changeWeights(
  setup: Setup,
  change: (weights: ModelWeights<Tensor>) => Partial<ModelWeights<Tensor>>,
): Setup {
  const { weights } = setup;
  return {
    ...setup,
    weights: {
      embedding: tokens => weights.embedding(tokens),
      layer: index => weights.layer(index),
      norm: () => weights.norm(),
      lmHead: () => weights.lmHead(),
      ...change(weights),
    },
  };
}

/** Some weights of each layer are others. */
export const changeLayers = (
  setup: Setup,
  change: (own: LayerWeights<Tensor>, layer: number) => Partial<LayerWeights<Tensor>>,
): Setup =>
  changeWeights(setup, weights => ({
    async layer(index) {
      const own = await weights.layer(index);
      return { ...own, ...change(own, index) };
    },
  }));

export function changePast(setup: Setup, change: (past: Past) => Partial<Past>): Setup {
  const { past } = setup;
  return {
    ...setup,
    past: {
      write: (...args) => past.write(...args),
      visible: (...args) => past.visible(...args),
      ...change(past),
    },
  };
}

/** Tokens are rotated as at other positions. */
export const changePositions = (setup: Setup, change: (position: number) => number): Setup => ({
  ...setup,
  steps: setup.steps.map(step => ({ ...step, position: change(step.position) })),
});

export function changeInPlace(numbers: Floats, change: (x: number, index: number) => number): void {
  for (let i = 0; i < numbers.length; i++) numbers[i] = change(numbers[i], i);
}

/** A copy in float64, each number changed. */
export function mapTensor(
  { shape, data }: Tensor,
  change: (x: number, index: number) => number,
): Tensor {
  const changed = Float64Array.from(data);
  changeInPlace(changed, change);
  return { shape, data: changed };
}

export const copyOf = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.slice() });

export const zeros = (tensor: Tensor): Tensor => mapTensor(tensor, () => 0);

/** Row `index` of a tensor of rows, not a copy. */
export function rowOf({ shape: [, width], data }: Tensor, index: number): Floats {
  return data.subarray(index * width, (index + 1) * width);
}
