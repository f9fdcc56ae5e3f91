/** Bugs of RMSNorm. */
import type { Floats, Tensor } from '../../base/tensor.js';
import type { Setup } from '../run/setup.js';
import { changeConfig, changeKernels, changeLayers, mapTensor, rowOf } from './changes.js';
import { each, type Mutant, one, when } from './mutant.js';

const EPSILONS = [1e-6, 1e-5, 1e-8, 0, 1e-3];
/** Threads of a group that sums together. */
const LANES = 32;

const nameOfEps = (eps: number): string => (eps === 0 ? '0' : eps.toExponential());

function sumOfSquares(x: Floats): number {
  let sum = 0;
  for (const value of x) sum += value * value;
  return sum;
}

/** Rows are divided by what `divisor` makes of them instead of √(mean square + eps). */
const divideBy = (setup: Setup, divisor: (row: Floats, eps: number) => number): Setup =>
  changeKernels(setup, kernels => ({
    rmsnorm(out, x, weight, eps) {
      // before the norm, which may be in place
      const factors = Array.from({ length: x.shape[0] }, (_, r) => {
        const row = rowOf(x, r);
        return Math.sqrt(sumOfSquares(row) / row.length + eps) / divisor(row, eps);
      });
      kernels.rmsnorm(out, x, weight, eps);
      for (const [r, factor] of factors.entries()) {
        const row = rowOf(out, r);
        for (let i = 0; i < row.length; i++) row[i] *= factor;
      }
    },
  }));

const changeNormWeight = (setup: Setup, change: (w: number) => number): Setup =>
  changeKernels(setup, kernels => ({
    rmsnorm: (out, x, weight, eps) => kernels.rmsnorm(out, x, mapTensor(weight, change), eps),
  }));

const subtractMean = (x: Tensor): Tensor => {
  const [rows, width] = x.shape;
  const means = Array.from({ length: rows }, (_, r) => {
    let sum = 0;
    for (const value of rowOf(x, r)) sum += value;
    return sum / width;
  });
  return mapTensor(x, (value, i) => value - means[Math.floor(i / width)]);
};

const leaveOutFinal = (setup: Setup): Setup =>
  changeKernels(setup, (kernels, now) => ({
    rmsnorm(out, x, weight, eps) {
      const given = x.data.slice();
      kernels.rmsnorm(out, x, weight, eps);
      if (now.norm === 'final') out.data.set(given);
    },
  }));

export const NORM: readonly Mutant[] = [
  {
    id: 'norm.eps',
    name: 'RMSNorm: another eps',
    explains:
      'What is added to the mean square is a default instead of the model’s. It shows where ' +
      'activations are small: in the first layers, and by some hundredths of perplexity.',
    fix:
      'Make the engine read rms_norm_eps; in GGUF metadata it is ' +
      'llama.attention.layer_norm_rms_epsilon, on old llama.cpp --rms-norm-eps.',
    references: [
      'https://github.com/ggml-org/llama.cpp/issues/2373',
      'https://github.com/ggml-org/llama.cpp/pull/2374',
      'https://github.com/huggingface/candle/commit/7513a5e00',
      'https://github.com/OpenNMT/CTranslate2/issues/1357',
    ],
    variants: ({ rmsNormEps }) =>
      each(
        EPSILONS.filter(eps => eps !== rmsNormEps),
        eps => `eps = ${nameOfEps(eps)}`,
        (setup, eps) => changeConfig(setup, { rmsNormEps: eps }),
      ),
  },
  {
    id: 'norm.eps-outside-root',
    name: 'RMSNorm: eps outside the root',
    explains:
      'Divides by √(mean square) + eps for √(mean square + eps): too little by far where ' +
      'activations are small.',
    fix: 'Add eps to the mean square before the root is taken.',
    references: [
      'https://github.com/allenai/OLMo/issues/281',
      'https://github.com/ggml-org/ggml/commit/616b937c',
    ],
    variants: one(setup =>
      divideBy(setup, (row, eps) => Math.sqrt(sumOfSquares(row) / row.length) + eps),
    ),
  },
  {
    id: 'norm.weight-ignored',
    name: 'RMSNorm: the weight is ignored',
    explains:
      'Normalised activations are not multiplied by the weight, as when a fusion loses it. In ' +
      'models whose weights are all 1 nothing shows.',
    fix: 'Multiply by the weight of the norm, or fold it into the columns of the next matrices.',
    references: ['https://github.com/kornia/kornia/issues/4165'],
    variants: one(setup => changeNormWeight(setup, () => 1)),
  },
  {
    id: 'norm.weight-plus-one',
    name: 'RMSNorm: multiplied by 1 + w',
    explains: 'The weight is taken as Gemma’s, which is stored less 1.',
    fix:
      'Multiply by w. In a checkpoint that was converted for Gemma subtract the 1 that was added ' +
      'to norm weights.',
    references: ['https://github.com/UbiquitousLearning/mllm/issues/75'],
    variants: one(setup => changeNormWeight(setup, w => 1 + w)),
  },
  {
    id: 'norm.mean-subtracted',
    name: 'RMSNorm: LayerNorm instead',
    explains:
      'The mean is subtracted before activations are normalised. It is near 0, so that texts ' +
      'stay fluent and become worse.',
    fix: 'Use RMSNorm: ggml_rms_norm for ggml_norm, torch.nn.RMSNorm for LayerNorm.',
    references: ['https://github.com/ggml-org/llama.cpp/issues/173'],
    variants: one(setup =>
      changeKernels(setup, kernels => ({
        rmsnorm: (out, x, weight, eps) => kernels.rmsnorm(out, subtractMean(x), weight, eps),
      })),
    ),
  },
  {
    id: 'norm.tail-ignored',
    name: 'RMSNorm: the last numbers are left out of the sum',
    explains:
      'What does not fill a group of 32 lanes is not squared and summed: all numbers of a row ' +
      'are too large by the same factor.',
    fix: 'Sum the remainder of hidden_size by the width of a group too; test with odd sizes.',
    references: [
      'https://github.com/ggml-org/ggml/commit/95414e59',
      'https://github.com/ggml-org/llama.cpp/issues/26708',
      'https://github.com/ggml-org/ggml/commit/ad82c6e9',
    ],
    equivalent: when(
      ({ hiddenSize }) => hiddenSize % LANES === 0,
      'hidden_size is a multiple of 32',
    ),
    variants: one(setup =>
      divideBy(setup, (row, eps) => {
        const summed = row.subarray(0, row.length - (row.length % LANES));
        return Math.sqrt(sumOfSquares(summed) / row.length + eps);
      }),
    ),
  },
  {
    id: 'norm.final-missing',
    name: 'RMSNorm: the final one is missing',
    explains:
      'The head gets the residual stream as it is: logits of another size, from activations ' +
      'whose few large numbers outweigh the others.',
    fix: 'Apply model.norm before lm_head, also where logits are computed apart from the model.',
    references: [
      'https://github.com/awslabs/keys_values/issues/139',
      'https://github.com/PaddlePaddle/PaddleNLP/pull/7615',
      'https://github.com/vllm-project/speculators/pull/313',
    ],
    variants: one(leaveOutFinal),
  },
  {
    id: 'norm.weights-swapped',
    name: 'RMSNorm: weights of the two norms of a layer exchanged',
    explains:
      'input_layernorm has the weight of post_attention_layernorm, and the other way round. A ' +
      'control.',
    fix:
      'Check the names by which weights are loaded: attn_norm and ffn_norm in GGUF files are ' +
      'input_layernorm and post_attention_layernorm.',
    references: [],
    variants: one(setup =>
      changeLayers(setup, ({ inputLayernorm, postAttentionLayernorm }) => ({
        inputLayernorm: postAttentionLayernorm,
        postAttentionLayernorm: inputLayernorm,
      })),
    ),
  },
  {
    id: 'norm.sum-for-mean',
    name: 'RMSNorm: the sum of squares instead of their mean',
    explains:
      'Divides by the length of the row, √(Σx² + eps): activations are too small by √D. A ' +
      'control.',
    fix: 'Divide the sum of squares by hidden_size.',
    references: [],
    variants: one(setup => divideBy(setup, (row, eps) => Math.sqrt(sumOfSquares(row) + eps))),
  },
];
