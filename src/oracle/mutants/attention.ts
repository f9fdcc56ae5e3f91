/** Bugs of attention: what is seen, how scores are scaled, which heads belong together. */
import { roundToBF16, roundToF16 } from '../../base/half.js';
import type { LlamaConfig } from '../../model/config.js';
import {
  addOne,
  changeContext,
  changeQueries,
  scaleScores,
  swapAxes,
  tileHeads,
  undoDivision,
} from './attend.js';
import { changeInPlace } from './changes.js';
import { CHUNKS } from './chunks.js';
import {
  distinctBy,
  each,
  eachSize,
  firstOf,
  type Mutant,
  one,
  unlessLongerThan,
  unlessSecondToken,
  when,
} from './mutant.js';
import { orderOfRuns, toOrder } from './order.js';
import { changeProbabilities } from './probabilities.js';
import { seeAs, seeFrom } from './visible.js';

const WINDOWS = [64, 256, 1024, 4096];

const hasOneHead = when(({ numAttentionHeads }) => numAttentionHeads === 1, 'there is one head');

const SCALES: readonly {
  readonly what: string;
  readonly of: (config: LlamaConfig) => number;
}[] = [
  { what: '1/√D', of: ({ hiddenSize }) => 1 / Math.sqrt(hiddenSize) },
  { what: '1/d', of: ({ headDim }) => 1 / headDim },
  { what: '√d', of: ({ headDim }) => Math.sqrt(headDim) },
  { what: '1/√(d/2)', of: ({ headDim }) => 1 / Math.sqrt(headDim / 2) },
];

const TILED = [
  { what: 'keys and values', keys: true, values: true },
  { what: 'values only', keys: false, values: true },
  { what: 'keys only', keys: true, values: false },
] as const;

export const ATTENTION: readonly Mutant[] = [
  {
    id: 'attention.future-visible',
    name: 'Attention: the future is visible',
    explains:
      'There is no mask: each token sees all of the text. The last row of a prompt is right in ' +
      'the first layer, and decoding one token at a time hides it.',
    fix:
      'Pass a causal mask, or is_causal=True; see that an additive mask has −infinity above the ' +
      'diagonal and is not inverted, and that a mask of booleans means what the kernel takes it ' +
      'for.',
    needsWholeText: true,
    references: [
      'https://github.com/huggingface/candle/commit/97424289d',
      'https://github.com/huggingface/candle/commit/25bcad290',
    ],
    equivalent: unlessSecondToken,
    variants: one(setup => seeAs(setup, (_, length) => length - 1)),
  },
  {
    id: 'attention.self-hidden',
    name: 'Attention: a token does not see itself',
    explains: 'The mask lets keys j < i pass instead of j ≤ i. The first token has only itself.',
    fix: 'Mask from the first diagonal above the main one on: triu(diagonal=1).',
    references: [
      'https://github.com/huggingface/transformers/issues/39408',
      'https://github.com/vllm-project/vllm/issues/3385',
    ],
    equivalent: unlessSecondToken,
    variants: one(setup => seeAs(setup, own => Math.max(own - 1, 0))),
  },
  {
    id: 'attention.one-ahead',
    name: 'Attention: the next token is visible',
    explains: 'The mask lets keys j ≤ i + 1 pass instead of j ≤ i. The last token is right.',
    fix: 'Mask from the first diagonal above the main one on: triu(diagonal=1).',
    needsWholeText: true,
    references: [
      'https://github.com/huggingface/transformers/issues/29623',
      'https://github.com/ml-explore/mlx-examples/commit/ed9e81dd',
    ],
    equivalent: unlessSecondToken,
    variants: one(setup => seeAs(setup, (own, length) => Math.min(own + 1, length - 1))),
  },
  {
    id: 'attention.top-left-mask',
    name: 'Attention: the mask of a chunk begins at the first key',
    explains:
      'With keys in the cache the causal mask is aligned at the top left instead of the bottom ' +
      'right: row r of a later chunk sees the first r + 1 keys of the text.',
    fix:
      'Let row r of a chunk see all keys before the chunk and r + 1 of its own: ' +
      'torch.tril(diagonal=T_k − T_q), causal_lower_right in PyTorch, flash-attn from 2.1 on.',
    references: [
      'https://github.com/meta-llama/llama/commit/e9077bd',
      'https://github.com/onnx/onnx/issues/8068',
      'https://github.com/pytorch/pytorch/issues/108108',
      'https://github.com/Dao-AILab/flash-attention/issues/282',
      'https://github.com/huggingface/candle/commit/aa812d7bd',
    ],
    equivalent: unlessLongerThan(CHUNKS),
    variants: eachSize(CHUNKS, (setup, size) => seeAs(setup, own => own % size)),
  },
  {
    id: 'attention.scale-missing',
    name: 'Attention: scores are not scaled',
    explains:
      'Scores are not divided by √d. Attention is much too sharp: nearly all of it goes to one ' +
      'token.',
    fix: 'Multiply q·k by 1/√head_dim, in every path: fallback kernels forget it.',
    references: ['https://github.com/mlc-ai/mlc-llm/pull/3426'],
    equivalent: unlessSecondToken,
    variants: one(setup => scaleScores(setup, Math.sqrt(setup.config.headDim))),
  },
  {
    id: 'attention.scale',
    name: 'Attention: scores are scaled by another number',
    explains:
      'The scale is of the hidden size, is applied twice, is multiplied with instead of divided ' +
      'by, or is of half a head: attention is too even or too sharp.',
    fix: 'Use 1/√head_dim: scale in SDPA, softmax_scale in flash-attn, query_pre_attn_scalar.',
    references: [
      'https://github.com/ollama/ollama/commit/a1ca428c9',
      'https://github.com/AI-Hypercomputer/maxtext/issues/1370',
      'https://github.com/NVIDIA/Megatron-LM/issues/848',
      'https://github.com/ggml-org/llama.cpp/pull/13951',
    ],
    equivalent: unlessSecondToken,
    variants: config =>
      each(
        distinctBy(SCALES, ({ of }) => of(config)).filter(
          ({ of }) => of(config) !== 1 / Math.sqrt(config.headDim),
        ),
        ({ what }) => what,
        (setup, { of }) => scaleScores(setup, of(setup.config) * Math.sqrt(setup.config.headDim)),
      ),
  },
  {
    id: 'attention.gqa-tiled',
    name: 'Attention: heads of keys and values are tiled',
    explains:
      'Query head h uses head h mod K of keys and values instead of ⌊h / (H/K)⌋. Models in which ' +
      'every query head has its own do not show it.',
    fix: 'Use repeat_interleave(H / K, dim=heads), or repeat_kv, for tile and repeat.',
    references: [
      'https://github.com/onnx/onnx/issues/7274',
      'https://github.com/ekzhang/jax-js/commit/83e3364',
      'https://github.com/ggml-org/ggml/commit/43e6c668',
      'https://github.com/apple/axlearn/issues/842',
    ],
    equivalent: when(
      ({ numAttentionHeads: heads, numKeyValueHeads: own }) => own === heads || own === 1,
      'query heads share no head of keys and values, or all the same',
    ),
    variants: (_, tokens) =>
      each(
        TILED.filter(({ values }) => values || tokens > 1),
        ({ what }) => what,
        tileHeads,
      ),
  },
  {
    id: 'attention.heads-reversed',
    name: 'Attention: heads in the wrong order before o_proj',
    explains: 'What heads give is put together in reverse. A control, for orders of any kind.',
    fix: 'Put heads together in the order of the rows of q_proj.',
    references: [],
    equivalent: hasOneHead,
    variants: one(setup => {
      const { numAttentionHeads, headDim } = setup.config;
      const heads = Array.from({ length: numAttentionHeads }, (_, h) => numAttentionHeads - 1 - h);
      return changeContext(setup, context => toOrder(context, orderOfRuns(heads, headDim)));
    }),
  },
  {
    id: 'attention.axes-swapped',
    name: 'Attention: heads and tokens not transposed back',
    explains:
      'The context [H, T, d] is reshaped to [T, H·d] without a transpose, so that rows hold ' +
      'numbers of other tokens. With one token at a time it does not show.',
    fix: 'Call transpose(1, 2) before reshape; view, which refuses to, is safer.',
    needsWholeText: true,
    references: [
      'https://github.com/huggingface/candle/commit/7a3101f15',
      'https://github.com/tinygrad/tinygrad/commit/9497ec00f2',
    ],
    equivalent: firstOf((_, tokens) => (tokens > 1 ? undefined : 'there is one token'), hasOneHead),
    variants: one(setup => ({
      ...changeContext(setup, context => swapAxes(setup.config, context)),
      mixesRows: true,
    })),
  },
  {
    id: 'attention.probabilities-16bit',
    name: 'Attention: probabilities in 16 bits',
    explains:
      'Probabilities are rounded to 16 bits, and no longer sum up to 1. In float16 those below ' +
      '6e-8 vanish, which is most of them in a long text.',
    fix:
      'Take the softmax in float32 and multiply it with values in float32, or declare the type ' +
      'that the engine computes in.',
    references: [
      'https://github.com/huggingface/transformers/issues/18057',
      'https://github.com/mit-han-lab/llm-awq/issues/69',
    ],
    equivalent: unlessSecondToken,
    variants: () =>
      each(
        [
          ['bf16', roundToBF16],
          ['f16', roundToF16],
        ] as const,
        ([name]) => name,
        (setup, [, round]) => changeProbabilities(setup, ({ data }) => changeInPlace(data, round)),
      ),
  },
  {
    id: 'attention.half-head',
    name: 'Attention: scores of half a head',
    explains:
      'q·k leaves out the second half of each head, as a kernel does that was made for heads of ' +
      'half the size.',
    fix: 'Choose the kernel by head_dim, and refuse those that there is none for.',
    references: ['https://github.com/antonellof/ferrox/commit/f934443'],
    equivalent: unlessSecondToken,
    variants: one(setup => {
      const { headDim } = setup.config;
      const half = Math.floor(headDim / 2);
      return changeQueries(setup, (x, i) => (i % headDim < half ? x : 0));
    }),
  },
  {
    id: 'attention.window',
    name: 'Attention: a sliding window',
    explains:
      'A token sees only the last n, itself included. Everything up to position n − 1 is right.',
    fix:
      'Set sliding_window to null and use_sliding_window to false; in llama.cpp see that the ' +
      'metadata has no llama.attention.sliding_window. A cache that is a ring must hold the ' +
      'context.',
    references: [
      'https://github.com/huggingface/transformers/issues/39408',
      'https://github.com/huggingface/transformers/issues/29623',
      'https://github.com/vllm-project/vllm/issues/3385',
    ],
    equivalent: unlessLongerThan(WINDOWS),
    variants: eachSize(WINDOWS, (setup, size) =>
      seeFrom(setup, own => Math.max(own + 1 - size, 0)),
    ),
  },
  {
    id: 'attention.extra-one',
    name: 'Attention: one more in the denominator',
    explains:
      'The softmax has a key too many, whose score and value are 0: probabilities sum up to less ' +
      'than 1. One padding key that is not masked does it.',
    fix:
      'Mask the padding; switch off attention sinks and add_zero_attn, and softmax1 or ' +
      'off-by-one attention.',
    references: ['https://github.com/kyegomez/AttentionIsOFFByOne/issues/1'],
    variants: one(setup =>
      changeProbabilities(setup, (p, query, visible) => addOne(setup.config, p, query, visible)),
    ),
  },
  {
    id: 'attention.no-softmax-normalisation',
    name: 'Attention: the softmax is not divided by its sum',
    explains:
      'Exponentials are taken as they are, the largest being 1. What attention gives is too ' +
      'large, the more so the more tokens it is spread over. A control.',
    fix: 'Divide by the sum of all blocks of keys after the last of them.',
    references: [],
    equivalent: unlessSecondToken,
    variants: one(setup => changeProbabilities(setup, undoDivision)),
  },
];
