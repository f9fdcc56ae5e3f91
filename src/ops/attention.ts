/**
 * Causal scaled dot-product attention for one token (Vaswani et al., arXiv:1706.03762, eq. 1), with
 * grouped key-value heads (Ainslie et al., arXiv:2305.13245).
 *
 *   s[h, t]   = q[h] · k[t, kv(h)] / √d,   t = 0 … T − 1
 *   p[h]      = softmax(s[h])
 *   out[h]    = Σ_t p[h, t] · v[t, kv(h)],   kv(h) = ⌊h / (H/K)⌋
 *
 * Causality needs no mask: T is the token's own position + 1, and later positions are never read.
 * Query heads share a key-value head in *consecutive* groups (repeat_interleave); h mod K would be
 * the tiled order, wrong for every grouped model and invisible when K = H.
 *
 * Numerics, as Hugging Face's eager_attention_forward: q·k rounded (store), times 1/√d rounded
 * (store), softmax in float32 and then rounded (store), the weighted sum accumulated over t in
 * index order as in `dot.ts` and rounded at the end (store).
 */
import type { Floats } from '../base/tensor.js';
import type { Rounding } from './rounding.js';
import { softmax } from './softmax.js';

/** The keys and values that one token may see, itself included. */
export interface Visible {
  /** [T, K·d], rotated. */
  readonly keys: Floats;
  /** [T, K·d]. */
  readonly values: Floats;
  readonly count: number; // T
}

/** How many heads there are for queries and for keys and values, and how many numbers each has. */
export interface HeadShape {
  readonly numHeads: number; // H
  readonly numKeyValueHeads: number; // K
  readonly headDim: number; // d
}

/**
 * out [H·d], query [H·d]; probabilities [H, T] is scratch that holds p afterwards. `out` must not
 * be `query`.
 */
export function attention(
  out: Floats,
  query: Floats,
  { keys, values, count }: Visible,
  shape: HeadShape,
  probabilities: Floats,
  rounding: Rounding,
): void {
  const { numHeads, numKeyValueHeads, headDim } = shape;
  const { store, sumBlock } = rounding;
  const sums = new rounding.Numbers(headDim);
  const groupSize = numHeads / numKeyValueHeads;
  const stride = numKeyValueHeads * headDim;
  attentionProbabilities(probabilities, query, { keys, count }, shape, rounding);
  for (let h = 0; h < numHeads; h++) {
    const keyValueHead = Math.floor(h / groupSize) * headDim;
    const row = h * count;
    const context = out.subarray(h * headDim, (h + 1) * headDim); // [d]
    weightedSum(context, sums, probabilities, row, count, values, keyValueHead, stride, sumBlock);
    for (let i = 0; i < headDim; i++) context[i] = store(context[i]);
  }
}

/** probabilities [H, T] = p, of query [H·d]. */
export function attentionProbabilities(
  probabilities: Floats,
  query: Floats,
  { keys, count }: Pick<Visible, 'keys' | 'count'>,
  { numHeads, numKeyValueHeads, headDim }: HeadShape,
  rounding: Rounding,
): void {
  const { compute, store, dot } = rounding;
  const scale = compute(1 / Math.sqrt(headDim));
  const groupSize = numHeads / numKeyValueHeads;
  const stride = numKeyValueHeads * headDim;
  for (let h = 0; h < numHeads; h++) {
    const keyValueHead = Math.floor(h / groupSize) * headDim;
    const row = h * count;
    for (let t = 0; t < count; t++) {
      const score = store(dot(query, h * headDim, keys, t * stride + keyValueHead, headDim));
      probabilities[row + t] = store(score * scale);
    }
    softmax(probabilities, row, count, rounding);
  }
}

/**
 * out[i] = Σ_t p[t] · v[t, i], one t after the other, in partial sums over `block` positions as in
 * `dot.ts`. Storing into `sums` and `out` is what rounds.
 */
function weightedSum(
  out: Floats,
  sums: Floats,
  probabilities: Floats,
  first: number,
  count: number,
  values: Floats,
  firstValue: number,
  stride: number,
  block: number,
): void {
  out.fill(0);
  for (let start = 0; start < count; start += block) {
    sums.fill(0);
    for (let t = start; t < Math.min(start + block, count); t++) {
      const p = probabilities[first + t];
      const value = firstValue + t * stride;
      for (let i = 0; i < sums.length; i++) sums[i] += p * values[value + i];
    }
    for (let i = 0; i < sums.length; i++) out[i] += sums[i];
  }
}
