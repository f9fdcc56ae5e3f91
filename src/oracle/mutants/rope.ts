/** Bugs of the rotary embedding. At position 0 nothing is rotated: none shows in the first row. */
import { roundToBF16, roundToF16 } from '../../base/half.js';
import { ggufRows } from '../../files/gguf/rotary-order.js';
import { divisorsOf } from '../../ops/rope-scaling/rope-scaling.js';
import { LARGEST_ANGLE } from '../../ops/sin-cos.js';
import { changeConfig, changeInPlace, changePositions } from './changes.js';
import {
  each,
  eachSize,
  firstOf,
  type Mutant,
  one,
  unlessLongerThan,
  unlessSecondToken,
  when,
} from './mutant.js';
import {
  changeFactor,
  changeFrequencies,
  changePairs,
  changeTable,
  largestDivisor,
  rotateFirstHalf,
  rotateOnly,
  rotateTwice,
  rotateValues,
  roundAngles,
  useHiddenSize,
} from './rotate.js';

const THETAS = [1e6, 5e5, 1e5, 1e4];
/** Lengths that tables of angles are made for. */
const TABLES = [512, 2048, 4096];

const unlessScaled = firstOf(
  unlessSecondToken,
  when(
    ({ ropeScaling }) => ropeScaling === undefined || divisorsOf(ropeScaling).every(x => x === 1),
    'the frequencies of this model are not scaled',
  ),
);

export const ROPE: readonly Mutant[] = [
  {
    id: 'rope.factor-ignored',
    name: 'RoPE: the factor is ignored',
    explains:
      'Positions are not interpolated: the angle is p·ω for p·ω/8. The first tokens are nearly ' +
      'right, then angles run out of what the model was trained on.',
    fix:
      'Make the engine read rope_scaling (rope_parameters in transformers 5, where the key type ' +
      'has become rope_type). llama.cpp: --rope-scaling linear --rope-scale 8, or the metadata ' +
      'llama.rope.scaling.type and llama.rope.scaling.factor; vLLM: --hf-overrides with ' +
      'rope_scaling, or rope_parameters.',
    references: [
      'https://github.com/vllm-project/vllm/issues/831',
      'https://github.com/IBM/text-generation-inference/issues/61',
      'https://github.com/Blaizzy/mlx-vlm/issues/1710',
      'https://github.com/ggml-org/llama.cpp/pull/8676',
      'https://github.com/NVIDIA/Megatron-LM/issues/6305',
    ],
    equivalent: unlessScaled,
    variants: one(setup => changeConfig(setup, { ropeScaling: undefined })),
  },
  {
    id: 'rope.factor-inverted',
    name: 'RoPE: the factor is inverted',
    explains:
      'Positions are multiplied by the factor that they should be divided by: the angle is 8·p·ω ' +
      'for p·ω/8. Nonsense from the second token on.',
    fix:
      'Give llama.cpp the factor as --rope-scale 8, or its inverse as --rope-freq-scale 0.125; ' +
      'other engines have compress_pos_emb or scale, some of which want 8 and some 0.125.',
    references: [
      'https://github.com/ggml-org/llama.cpp/issues/2530',
      'https://github.com/ggml-org/llama.cpp/pull/2544',
      'https://github.com/turboderp/exllama/issues/158',
      'https://github.com/ollama/ollama/commit/564b558c9',
    ],
    equivalent: unlessScaled,
    variants: (config, tokens) =>
      // beyond that nothing here computes a cosine
      tokens * largestDivisor(config) > LARGEST_ANGLE
        ? []
        : one(setup => changeFactor(setup, factor => 1 / factor))(config, tokens),
  },
  {
    id: 'rope.factor-twice',
    name: 'RoPE: the factor is applied twice',
    explains:
      'Both the positions and the frequencies are divided by the factor, so that the angle is ' +
      'p·ω/64 for p·ω/8: all tokens seem to be close together.',
    fix:
      'Divide either the positions or inv_freq by the factor, not both; look for a converted ' +
      'model whose frequencies are scaled already and whose rope_scaling is still there.',
    references: ['https://github.com/huggingface/text-generation-inference/issues/816'],
    equivalent: unlessScaled,
    variants: one(setup => changeFactor(setup, factor => factor * factor)),
  },
  {
    id: 'rope.amplitude',
    name: 'RoPE: cosines and sines are divided by the factor too',
    explains:
      'Queries and keys shrink by the factor, and their scores by its square: attention is ' +
      'nearly even over all tokens.',
    fix:
      'Linear scaling changes angles only. attention_scaling in transformers, and mscale ' +
      'elsewhere, must be 1.',
    references: ['https://github.com/huggingface/text-generation-inference/issues/816'],
    equivalent: unlessScaled,
    variants: one(setup => {
      const factor = largestDivisor(setup.config);
      return changeTable(setup, (cosines, sines) => {
        changeInPlace(cosines.data, x => x / factor);
        changeInPlace(sines.data, x => x / factor);
      });
    }),
  },
  {
    id: 'rope.interleaved',
    name: 'RoPE: neighbours are rotated instead of halves',
    explains:
      'The points of a head are taken as (x[2i], x[2i+1]), with weights that are ordered for ' +
      '(x[i], x[i + d/2]). The first token is right, then all is gibberish.',
    fix:
      'Use the rotation of halves (rotate_half, NeoX style: LLAMA_ROPE_TYPE_NEOX, is_neox_style, ' +
      'traditional=False), or permute the rows of q_proj and k_proj as convert_hf_to_gguf.py ' +
      'does.',
    references: [
      'https://github.com/huggingface/transformers/issues/25199',
      'https://github.com/karpathy/llama2.c/pull/286',
      'https://github.com/huggingface/candle/pull/3411',
      'https://github.com/jzhang38/TinyLlama/issues/24',
    ],
    equivalent: unlessSecondToken,
    variants: one(setup => changePairs(setup, ggufRows(setup.config.headDim))),
  },
  {
    id: 'rope.direction',
    name: 'RoPE: rotated in the wrong direction',
    explains:
      'The sign of the sine is flipped, for queries and for keys: the token before looks like ' +
      'the token after.',
    fix: 'Let rotate_half give (−x₂, x₁), and the result be x·cos + rotate_half(x)·sin.',
    references: ['https://github.com/kornia/kornia/issues/4165'],
    equivalent: unlessSecondToken,
    variants: one(setup => changeTable(setup, (_, sines) => changeInPlace(sines.data, x => -x))),
  },
  {
    id: 'rope.theta',
    name: 'RoPE: another θ',
    explains:
      'The base of the frequencies is a default, or that of another model. Near tokens are ' +
      'nearly right, far ones are not.',
    fix:
      'Make the engine read rope_theta. llama.cpp: --rope-freq-base, or the metadata ' +
      'llama.rope.freq_base; vLLM: --hf-overrides with rope_theta.',
    references: [
      'https://github.com/ggml-org/llama.cpp/issues/3090',
      'https://github.com/karpathy/llama2.c/issues/356',
      'https://github.com/vectorch-ai/ScaleLLM/issues/223',
      'https://github.com/microsoft/DeepSpeed/issues/4480',
    ],
    equivalent: unlessSecondToken,
    variants: ({ ropeTheta }) =>
      each(
        THETAS.filter(theta => theta !== ropeTheta),
        theta => `θ = ${theta.toLocaleString('en')}`,
        (setup, theta) => changeConfig(setup, { ropeTheta: theta }),
      ),
  },
  {
    id: 'rope.exponent',
    name: 'RoPE: the exponent is halved',
    explains: 'Frequencies are θ^(−i/d) for θ^(−2i/d): they fall half as fast as they should.',
    fix: 'Compute inv_freq as 1 / θ^(arange(0, d, 2) / d).',
    references: ['https://github.com/kornia/kornia/issues/4165'],
    equivalent: unlessSecondToken,
    // θ^(−i/d) = (√θ)^(−2i/d)
    variants: one(setup => changeConfig(setup, { ropeTheta: Math.sqrt(setup.config.ropeTheta) })),
  },
  {
    id: 'rope.hidden-size',
    name: 'RoPE: frequencies from the hidden size',
    explains: 'Frequencies are θ^(−2i/D) for θ^(−2i/d): nearly all of them are nearly 1.',
    fix: 'Use head_dim, or hidden_size / num_attention_heads if the configuration has none.',
    references: ['https://github.com/kornia/kornia/issues/4165'],
    equivalent: firstOf(
      unlessSecondToken,
      when(({ headDim, hiddenSize }) => headDim === hiddenSize, 'the only head is the hidden size'),
    ),
    variants: one(useHiddenSize),
  },
  {
    id: 'rope.missing',
    name: 'RoPE: not there',
    explains: 'Nothing is rotated, so that attention does not know the order of tokens. A control.',
    fix: 'Rotate queries and keys after their projections, before their scores.',
    references: [],
    equivalent: unlessSecondToken,
    variants: one(setup => changeFrequencies(setup, own => own.map(() => 0))),
  },
  {
    id: 'rope.query-only',
    name: 'RoPE: keys are not rotated',
    explains:
      'Queries are rotated and keys are not: scores depend on the position of the query instead ' +
      'of the distance.',
    fix:
      'Rotate keys before they go to the cache, and see that what attention reads is what was ' +
      'rotated, not a copy from before.',
    references: ['https://github.com/kvcache-ai/sglang/pull/66'],
    equivalent: unlessSecondToken,
    variants: one(setup => rotateOnly(setup, true)),
  },
  {
    id: 'rope.key-only',
    name: 'RoPE: queries are not rotated',
    explains:
      'Keys are rotated and queries are not: scores depend on the position of the key instead of ' +
      'the distance. A control.',
    fix: 'Rotate queries by their own positions too.',
    references: [],
    equivalent: unlessSecondToken,
    variants: one(setup => rotateOnly(setup, false)),
  },
  {
    id: 'rope.values-rotated',
    name: 'RoPE: values are rotated too',
    explains:
      'Values are rotated as keys are, so that what a token says depends on where it stands. It ' +
      'also happens when keys and values are taken for each other.',
    fix: 'Rotate queries and keys only.',
    references: ['https://github.com/tenstorrent/tt-mlir/issues/8958'],
    equivalent: unlessSecondToken,
    variants: one(rotateValues),
  },
  {
    id: 'rope.twice',
    name: 'RoPE: applied twice',
    explains:
      'Queries and keys are rotated twice, so that all distances look twice as long: in the ' +
      'model and again in the kernel of attention, or before and after the cache.',
    fix: 'Rotate once: keys on their way into the cache, or all of them when they are read.',
    references: ['https://github.com/NeuraLegion/shainet/pull/110'],
    equivalent: unlessSecondToken,
    variants: one(rotateTwice),
  },
  {
    id: 'rope.partial',
    name: 'RoPE: only half of each head is rotated',
    explains:
      'The first half of a head is rotated as if it were a head, with frequencies of its own; ' +
      'the rest stays as it is.',
    fix:
      'Rotate all of head_dim: partial_rotary_factor 1 in transformers, ' +
      'llama.rope.dimension_count = head_dim in GGUF metadata.',
    references: [
      'https://github.com/ggml-org/ggml/commit/14d30dfe',
      'https://github.com/ggml-org/ggml/commit/dfde6352',
    ],
    equivalent: unlessSecondToken,
    variants: one(rotateFirstHalf),
  },
  {
    id: 'rope.frequencies-bf16',
    name: 'RoPE: frequencies in bfloat16',
    explains:
      'inv_freq was rounded to 8 bits, usually by casting the whole model: angles are off by up ' +
      'to 0.4 %, which grows with the position.',
    fix:
      'Keep inv_freq in float32: load with dtype= instead of calling model.to(bfloat16), and ' +
      'leave buffers out of casts.',
    references: [
      'https://github.com/huggingface/transformers/issues/25681',
      'https://github.com/huggingface/transformers/pull/29285',
    ],
    equivalent: unlessSecondToken,
    variants: one(setup => changeFrequencies(setup, own => own.map(roundToBF16))),
  },
  {
    id: 'rope.angles-16bit',
    name: 'RoPE: angles in 16 bits',
    explains:
      'Positions times frequencies are rounded to 16 bits before their cosines and sines are ' +
      'taken: far positions, several at a time, get the same angle.',
    fix:
      'Compute positions, angles, cosines and sines in float32 and round no earlier than the ' +
      'cosines; disable autocast around it.',
    references: [
      'https://github.com/EleutherAI/gpt-neox/issues/1003',
      'https://github.com/huggingface/transformers/issues/29496',
      'https://github.com/huggingface/candle/commit/ab145812a',
      'https://github.com/NVIDIA/Megatron-LM/issues/744',
    ],
    equivalent: unlessSecondToken,
    variants: () =>
      each(
        [
          ['bf16', roundToBF16],
          ['f16', roundToF16],
        ] as const,
        ([name]) => name,
        (setup, [, round]) => roundAngles(setup, round),
      ),
  },
  {
    id: 'rope.table-end',
    name: 'RoPE: the table of angles ends too early',
    explains:
      'Cosines and sines were made for fewer positions than the text has; all positions beyond ' +
      'have the last one’s. Everything before is right.',
    fix:
      'Make the table for max_position_embeddings (after scaling), or as it is needed; an engine ' +
      'may have its own limit for it, such as --max-model-len or --ctx-size.',
    references: [
      'https://github.com/mit-han-lab/llm-awq/issues/332',
      'https://github.com/karpathy/nanochat/issues/520',
      'https://github.com/vllm-project/vllm/issues/55910',
      'https://github.com/vllm-project/vllm-ascend/issues/1266',
    ],
    equivalent: unlessLongerThan(TABLES),
    variants: eachSize(TABLES, (setup, size) =>
      changePositions(setup, position => Math.min(position, size - 1)),
    ),
  },
];
