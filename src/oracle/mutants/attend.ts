/** Attention that is not the model's: what the mutants of `attention.ts` are made of. */
import type { Floats, Tensor } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import type { Visible } from '../../ops/attention.js';
import { dotFloat64 } from '../../ops/dot.js';
import { exp } from '../../ops/exp.js';
import type { Setup } from '../run/setup.js';
import { changeInPlace, changeKernels, copyOf, mapTensor, rowOf } from './changes.js';
import { orderOfRuns, toOrder } from './order.js';
import { changeProbabilities, sharedHead } from './probabilities.js';

/** Scores are those of other queries. */
export const changeQueries = (setup: Setup, change: (x: number, index: number) => number): Setup =>
  changeKernels(setup, kernels => ({
    attention: (out, query, ...rest) => kernels.attention(out, mapTensor(query, change), ...rest),
  }));

/** Scores are `factor` times as large. */
export const scaleScores = (setup: Setup, factor: number): Setup =>
  changeQueries(setup, x => x * factor);

/** What heads give is changed before o_proj. */
export const changeContext = (setup: Setup, change: (context: Tensor) => void): Setup =>
  changeKernels(setup, kernels => ({
    async attention(out, ...rest) {
      await kernels.attention(out, ...rest);
      change(out);
    },
  }));

/** Of what heads are tiled, h mod K, instead of repeated. */
interface Tiled {
  readonly keys: boolean;
  readonly values: boolean;
}

/**
 * Of keys: query heads are put where their tiled keys are those of the group, and probabilities
 * brought back.
 */
export function tileHeads(setup: Setup, { keys, values }: Tiled): Setup {
  const { numAttentionHeads, numKeyValueHeads: K, headDim } = setup.config;
  const groupSize = numAttentionHeads / K;
  const order = Array.from(
    { length: numAttentionHeads },
    (_, place) => Math.floor(place / groupSize) + (place % groupSize) * K,
  );
  const moved = keys
    ? changeKernels(setup, kernels => ({
        attention(out, query, ...rest) {
          const grouped = copyOf(query);
          toOrder(grouped, orderOfRuns(order, headDim));
          return kernels.attention(out, grouped, ...rest);
        },
      }))
    : setup;
  return changeProbabilities(
    moved,
    probabilities => {
      if (keys) bringBack(probabilities, order);
    },
    values ? h => h % K : sharedHead(setup.config),
  );
}

/** Rows of probabilities, from the places that `order` gave their heads. */
function bringBack(probabilities: Tensor, order: readonly number[]): void {
  const placed = copyOf(probabilities);
  for (const [place, head] of order.entries()) rowOf(probabilities, head).set(rowOf(placed, place));
}

/** [H, T, d] is read as if it were [T, H·d]. */
export function swapAxes({ numAttentionHeads, headDim }: LlamaConfig, context: Tensor): void {
  const [tokens] = context.shape;
  const rows = context.data.slice();
  for (let h = 0; h < numAttentionHeads; h++) {
    for (let t = 0; t < tokens; t++) {
      const from = (t * numAttentionHeads + h) * headDim;
      context.data.set(rows.subarray(from, from + headDim), (h * tokens + t) * headDim);
    }
  }
}

/**
 * e^s / (1 + Σ e^s) is p / (1 + 1/Σ e^s). For every key Σ e^s is e^s / p, so for the likeliest,
 * whose score is computed again.
 */
export function addOne(
  config: LlamaConfig,
  probabilities: Tensor,
  query: Floats,
  { keys }: Visible,
): void {
  const { numAttentionHeads, numKeyValueHeads, headDim } = config;
  const keyHead = sharedHead(config);
  for (let h = 0; h < numAttentionHeads; h++) {
    const row = rowOf(probabilities, h);
    const likeliest = row.indexOf(largestOf(row));
    const key = (likeliest * numKeyValueHeads + keyHead(h)) * headDim;
    const score = dotFloat64(query, h * headDim, keys, key, headDim) / Math.sqrt(headDim);
    const inverseSum = row[likeliest] * exp(-score);
    changeInPlace(row, p => p / (1 + inverseSum));
  }
}

/** Exponentials less the largest score, as they are before they are divided by their sum. */
export function undoDivision(probabilities: Tensor): void {
  for (let h = 0; h < probabilities.shape[0]; h++) {
    const row = rowOf(probabilities, h);
    const largest = largestOf(row);
    changeInPlace(row, p => p / largest);
  }
}

function largestOf(numbers: Floats): number {
  let largest = -Infinity;
  for (const x of numbers) largest = Math.max(largest, x);
  return largest;
}
