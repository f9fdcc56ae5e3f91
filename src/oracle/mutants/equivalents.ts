/**
 * What is done otherwise and changes nothing: nobody can see it from tokens to logits, and who does
 * it conforms. Mutants that are equivalent in some models only say so themselves.
 */

export interface Equivalent {
  /** `place.what`: never changes once it is published. */
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  /** Where it would show. */
  readonly visibleIn: string;
}

export const EQUIVALENTS: readonly Equivalent[] = [
  {
    id: 'positions.shifted',
    name: 'Positions: all of them are later by the same number',
    reason: 'Scores depend on distances only, and queries and keys are shifted alike.',
    visibleIn:
      'Rotated queries and keys; a table of angles that ends; the rounding of angles to float32, ' +
      'which is 1e-6 at position 300 and grows; positions beyond the limit.',
  },
  {
    id: 'rope.bases-permuted',
    name: 'RoPE: neighbours are rotated, and rows of q and k moved to match',
    reason:
      'The same permutation of the numbers of queries and of keys leaves their products as they ' +
      'are. It is what GGUF files have.',
    visibleIn:
      'The rows of q_proj and k_proj, queries and keys, in the order of their numbers; a model ' +
      'in which only one of the two was moved: weights.qk-permuted, rope.interleaved.',
  },
  {
    id: 'rope.mirrored',
    name: 'RoPE: rotated in the other direction, with half of the rows of q and k negated',
    reason: 'Both are mirrored, and a product of two mirrored vectors is that of the vectors.',
    visibleIn: 'Queries and keys; a model in which only the direction is another: rope.direction.',
  },
  {
    id: 'attention.heads-renumbered',
    name: 'Attention: groups of heads in another order, and the columns of o_proj with them',
    reason: 'o_proj sums over all heads, and a sum has no order but for rounding.',
    visibleIn:
      'Queries, keys, values and the context; a model in which o_proj has the old order: ' +
      'attention.heads-reversed.',
  },
  {
    id: 'attention.tiled-without-groups',
    name: 'Attention: heads of keys and values are tiled, where each query head has its own',
    reason: 'h mod K and ⌊h / (H/K)⌋ are both h if K = H, and both 0 if K = 1.',
    visibleIn: 'A model with grouped heads, 1 < K < H, as the toy has: attention.gqa-tiled.',
  },
  {
    id: 'attention.scale-folded',
    name: 'Attention: 1/√d is multiplied into q_proj',
    reason: 'A factor may be applied to the query as well as to the score.',
    visibleIn:
      'Queries; 16-bit types, in which √d is no power of two and weights are rounded again.',
  },
  {
    id: 'softmax.no-maximum',
    name: 'Softmax: the largest score is not subtracted',
    reason: 'e^(s−m) / Σ e^(s−m) = e^s / Σ e^s as long as nothing overflows.',
    visibleIn: 'Scores above 88 in float32 and 11 in float16: queries and keys 10 times as large.',
  },
  {
    id: 'softmax.maximum-from-zero',
    name: 'Softmax: the running maximum begins at 0',
    reason: 'A maximum that is too large does not matter as long as not all exponentials are 0.',
    visibleIn:
      'A row of scores that are all below −104 in float32: 0/0. Or one kernel given such scores.',
  },
  {
    id: 'softmax.base-2',
    name: 'Softmax: powers of two of scores times log₂e',
    reason: 'e^x = 2^(x·log₂e); flash attention does it, for hardware has 2^x.',
    visibleIn: 'Products s·log₂e rounded to 16 bits.',
  },
  {
    id: 'matmul.order-of-sums',
    name: 'Matrices: terms are added in another order',
    reason: 'Sums differ by rounding only, which is what a budget is for.',
    visibleIn: 'Nothing but bits; integers whose sums are exact must be the same in every order.',
  },
  {
    id: 'matmul.fused',
    name: 'Matrices: products are not rounded before they are added',
    reason: 'A fused multiply-add rounds once instead of twice: half a unit in the last place.',
    visibleIn: 'Nothing but bits.',
  },
  {
    id: 'matmul.tail-of-nothing',
    name: 'Matrices: a remainder is left out where there is none',
    reason: 'All sizes are multiples of the width of a vector, as those of Llama-2-7B are.',
    visibleIn:
      'A model whose sizes are not, as those of the toy: matmul.tail-ignored, norm.tail-ignored, ' +
      'matmul.tail-column.',
  },
  {
    id: 'norm.weight-folded',
    name: 'RMSNorm: its weight is multiplied into the columns of the next matrices',
    reason: 'W·(w∘x̂) = (W·diag w)·x̂.',
    visibleIn: 'The outputs of norms; 16-bit types, in which weights are rounded again.',
  },
  {
    id: 'mlp.neurons-permuted',
    name: 'MLP: rows of gate and up in another order, and columns of down with them',
    reason: 'down_proj sums over all of them, and a sum has no order but for rounding.',
    visibleIn:
      'gate_proj, up_proj and their product; blocks of quantized formats, in which other numbers ' +
      'share a scale.',
  },
  {
    id: 'batch.left-padding',
    name: 'Batch: padding on the left, masked, with positions that begin after it',
    reason: 'What no row sees changes none, and positions are the same.',
    visibleIn:
      'A mask that lets the padding through: attention.extra-one is one such key. Rows of the ' +
      'padding.',
  },
  {
    id: 'tokens.end-appended',
    name: 'Tokens: </s> is appended to the text',
    reason: 'No token sees what comes after it.',
    visibleIn:
      'The number of rows; the logits that are read as the last; a text that goes on after it.',
  },
  {
    id: 'cache.tail-unread',
    name: 'Cache: old or undefined numbers beyond the end of the text',
    reason: 'Attention reads as many keys and values as there are tokens.',
    visibleIn:
      'Kernels that multiply the tail with probabilities of 0, when it has a NaN or an infinity: ' +
      'fill it with NaN.',
  },
  {
    id: 'embedding.unused-row',
    name: 'Embedding: a row is damaged that the text does not use',
    reason: 'Of the embedding only the rows of the text’s tokens are read.',
    visibleIn: 'A text that has the token; a text of all tokens of the vocabulary.',
  },
  {
    id: 'head.padded',
    name: 'Head: the vocabulary is padded with rows of zeros',
    reason: 'The logits of real tokens are what they were; others are compared with nothing.',
    visibleIn:
      'Sampling: a token without a text can be drawn. Probabilities, if the padding is not left ' +
      'out.',
  },
  {
    id: 'head.constant-added',
    name: 'Head: a constant is added to the logits of a row',
    reason: 'Probabilities are those of the logits less their largest.',
    visibleIn: 'Logits themselves. A server that gives only log-probabilities does not show it.',
  },
];
