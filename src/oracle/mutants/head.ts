/** Bugs of the embedding, of the head, and of what is done with logits. */
import { roundToBF16, roundToF16 } from '../../base/half.js';
import type { Tensor } from '../../base/tensor.js';
import type { Setup } from '../run/setup.js';
import { changeInPlace, changeKernels, changeWeights, rowOf } from './changes.js';
import { tanh } from './functions.js';
import { each, type Mutant, one, unlessSecondToken, when } from './mutant.js';

const SOFTCAP = 30;

const changeLogits = (setup: Setup, change: (logit: number) => number): Setup =>
  changeKernels(setup, (kernels, now) => ({
    async matmul(out, x, weight) {
      const { isHead } = now;
      await kernels.matmul(out, x, weight);
      if (isHead) changeInPlace(out.data, change);
    },
  }));

/** The embedding of every token, as the head. */
const useEmbedding = (setup: Setup): Setup =>
  changeWeights(setup, weights => ({
    async lmHead() {
      const { vocabSize, hiddenSize } = setup.config;
      const { table, indices } = await weights.embedding([...Array(vocabSize).keys()]);
      const data = new Float64Array(vocabSize * hiddenSize);
      for (const [token, index] of indices.entries())
        data.set(rowOf(table, index), token * hiddenSize);
      return { shape: [vocabSize, hiddenSize], data };
    },
  }));

/** The head without its first row, which comes last. */
const rotateVocabulary = (setup: Setup): Setup =>
  changeWeights(setup, weights => ({
    async lmHead(): Promise<Tensor> {
      const { shape, data } = await weights.lmHead();
      const width = shape[1];
      const rotated = data.slice();
      rotated.copyWithin(0, width);
      rotated.set(data.subarray(0, width), data.length - width);
      return { shape, data: rotated };
    },
  }));

const readRowBefore = (setup: Setup): Setup => ({
  ...changeKernels(setup, (kernels, now) => ({
    embedding: (out, table, indices) =>
      kernels.embedding(out, table, now.isOfTokens ? indices : indices.map(before)),
  })),
  mixesRows: true,
});

const before = (index: number): number => Math.max(index - 1, 0);

export const HEAD: readonly Mutant[] = [
  {
    id: 'head.tied',
    name: 'Head: tied to the embedding',
    explains:
      'Logits are products with the embedding, of a model that has a head of its own. They are ' +
      'of another size, and mostly repeat the last token.',
    fix:
      'Make the engine read tie_word_embeddings: false, and load lm_head.weight, in GGUF files ' +
      'output.weight; when it is missing, refuse.',
    references: [
      'https://github.com/microsoft/DeepSpeed/issues/4088',
      'https://github.com/huggingface/transformers/issues/43429',
    ],
    equivalent: when(({ tieWordEmbeddings }) => tieWordEmbeddings, 'the head is the embedding'),
    variants: one(useEmbedding),
  },
  {
    id: 'head.row-off-by-one',
    name: 'Head: logits of the token before',
    explains:
      'Row p has the logits of position p − 1, as when they are read at index −2, or labels are ' +
      'shifted twice. All that comes before the head is right.',
    fix: 'Row p scores the successor of token p: shift logits or labels, once, not both.',
    references: [
      'https://github.com/abetlen/llama-cpp-python/pull/1179',
      'https://github.com/tenstorrent/tt-xla/issues/5830',
      'https://github.com/vllm-project/vllm/issues/5846',
    ],
    equivalent: unlessSecondToken,
    variants: one(readRowBefore),
  },
  {
    id: 'head.logits-16bit',
    name: 'Head: logits in 16 bits',
    explains:
      'Logits are rounded to 16 bits, 1 in 256 or in 2,048 of their size: candidates that are ' +
      'close become equal.',
    fix:
      'Compute logits in float32, or cast what the head gives before it is rounded: ' +
      'lm_head(x.float()), head_dtype float32 in vLLM.',
    references: [
      'https://github.com/vllm-project/vllm/pull/13312',
      'https://github.com/NVIDIA/Megatron-LM/issues/6252',
    ],
    variants: () =>
      each(
        [
          ['bf16', roundToBF16],
          ['f16', roundToF16],
        ] as const,
        ([name]) => name,
        (setup, [, round]) => changeLogits(setup, round),
      ),
  },
  {
    id: 'head.softcap',
    name: 'Head: logits are capped',
    explains: 'Logits are 30·tanh(x/30), as in Gemma 2: the large ones are too small. A control.',
    fix: 'Set final_logit_softcapping to null.',
    references: [],
    variants: one(setup => changeLogits(setup, x => SOFTCAP * tanh(x / SOFTCAP))),
  },
  {
    id: 'head.scaled',
    name: 'Head: logits are divided by √D',
    explains:
      'Logits are scaled as in T5, or as by logits_scaling of Granite: the order of candidates ' +
      'is right, and probabilities are nearly even. A control.',
    fix:
      'Use what the head gives as it is: logits_scaling, logit_scale and lm_head_multiplier are ' +
      '1.',
    references: [],
    variants: one(setup => {
      const divisor = Math.sqrt(setup.config.hiddenSize);
      return changeLogits(setup, x => x / divisor);
    }),
  },
  {
    id: 'head.transposed-vocabulary',
    name: 'Head: ids are off by one',
    explains:
      'Column j has the logit of token j + 1: the vocabulary is shifted between the tokenizer ' +
      'and the head. A control.',
    fix: 'Look for a vocabulary that counts from 1, or a special token too much or too little.',
    references: [],
    variants: one(rotateVocabulary),
  },
  {
    id: 'embedding.scaled',
    name: 'Embedding: multiplied by √D',
    explains:
      'Embeddings are scaled as in Gemma and T5: the first layers add next to nothing to them.',
    fix: 'Use embeddings as they are: scale_embedding false, embedding_multiplier 1.',
    references: [
      'https://github.com/TensorAuto/OpenTau/pull/179',
      'https://github.com/mattn/tensai/pull/248',
    ],
    variants: one(setup => {
      const factor = Math.sqrt(setup.config.hiddenSize);
      return changeKernels(setup, (kernels, now) => ({
        embedding(out, table, indices) {
          kernels.embedding(out, table, indices);
          if (now.isOfTokens) changeInPlace(out.data, x => x * factor);
        },
      }));
    }),
  },
  {
    id: 'embedding.off-by-one',
    name: 'Embedding: ids are off by one',
    explains:
      'Token id has the embedding of id − 1 (0 has its own): the table has a row too much in ' +
      'front, or ids were counted from 1. A control.',
    fix: 'Compare the embedding of a known id with the row of model.embed_tokens.weight.',
    references: [],
    variants: one(setup =>
      changeWeights(setup, weights => ({
        embedding: tokens => weights.embedding(tokens.map(before)),
      })),
    ),
  },
];
