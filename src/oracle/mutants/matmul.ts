/** Bugs of matrix multiplication, most of which show only where sizes do not fit. */
import { roundToTf32 } from '../../base/half.js';
import type { Tensor } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { weightsOf } from '../../model/weights.js';
import { dotFloat64 } from '../../ops/dot.js';
import { quantize, toQ8_0 } from '../noise/quantized.js';
import type { Setup } from '../run/setup.js';
import { changeKernels, mapTensor } from './changes.js';
import { distinctBy, each, firstOf, type Mutant, one, when } from './mutant.js';

/** Columns that are computed together. */
const WIDTHS = [4, 8, 16];
/** Numbers of the inner dimension that are multiplied together. */
const STEPS = [32, 16, 8, 4];

/** What is left of the outputs, or of the inner dimension, of each matrix and the head. */
const rests = (config: LlamaConfig, dimension: 'outputs' | 'inner', size: number): number[] =>
  [...weightsOf(config).map(({ shape }) => shape), [config.vocabSize, config.hiddenSize]]
    .filter(({ length }) => length === 2)
    .map(([outputs, inner]) => (dimension === 'outputs' ? outputs : inner) % size);

/** The sizes that leave a rest, and not the same as one before. */
const misfits = (
  config: LlamaConfig,
  dimension: 'outputs' | 'inner',
  sizes: readonly number[],
): number[] =>
  distinctBy(sizes, size => rests(config, dimension, size).join()).filter(size =>
    rests(config, dimension, size).some(rest => rest > 0),
  );

const fits = (dimension: 'outputs' | 'inner', sizes: readonly number[], name: string) =>
  when(
    config => misfits(config, dimension, sizes).length === 0,
    `all matrices have a multiple of ${Math.max(...sizes)} ${name}`,
  );

/** The last columns, which are computed one by one, have a row that begins at x[r] for x[r, 0]. */
const shiftTail = (setup: Setup, width: number): Setup => ({
  ...changeKernels(setup, kernels => ({
    async matmul(out, x, weight) {
      await kernels.matmul(out, x, weight);
      const [outputs, inner] = weight.shape;
      for (let r = 0; r < x.shape[0]; r++) {
        for (let n = outputs - (outputs % width); n < outputs; n++)
          out.data[r * outputs + n] = dotFloat64(x.data, r, weight.data, n * inner, inner);
      }
    },
  })),
  mixesRows: true,
});

/** What goes into a matrix is changed on the way. */
const changeInputs = (setup: Setup, change: (x: Tensor) => Tensor): Setup =>
  changeKernels(setup, kernels => ({
    matmul: (out, x, weight) => kernels.matmul(out, change(x), weight),
  }));

const leaveOutTail = (setup: Setup, step: number): Setup =>
  changeInputs(setup, x => {
    const inner = x.shape[1];
    return mapTensor(x, (value, i) => (i % inner < inner - (inner % step) ? value : 0));
  });

export const MATMUL: readonly Mutant[] = [
  {
    id: 'matmul.tail-column',
    name: 'Matrices: the last columns use the wrong row',
    explains:
      'Outputs that do not fill a vector are computed one by one, from inputs that begin r ' +
      'numbers into the first row instead of at row r. The first row is right.',
    fix: 'Index the row as A[i * K + k], and test with numbers of outputs that are no multiples.',
    needsWholeText: true,
    references: [
      'https://github.com/ggml-org/ggml/commit/b821278c',
      'https://github.com/ggml-org/llama.cpp/issues/25390',
    ],
    equivalent: firstOf(
      (_, tokens) => (tokens > 1 ? undefined : 'the first row is right, and there is one'),
      fits('outputs', WIDTHS, 'outputs'),
    ),
    variants: config =>
      each(misfits(config, 'outputs', WIDTHS), width => `W = ${width}`, shiftTail),
  },
  {
    id: 'matmul.tail-ignored',
    name: 'Matrices: the last inputs are left out',
    explains:
      'What does not fill a vector, or a block, of the inner dimension is not multiplied and ' +
      'added.',
    fix: 'Compute the remainder too, or pad it with zeros; test with odd sizes.',
    references: ['https://github.com/ggml-org/ggml/commit/ad82c6e9'],
    equivalent: fits('inner', STEPS, 'inputs'),
    variants: config => each(misfits(config, 'inner', STEPS), step => `n = ${step}`, leaveOutTail),
  },
  {
    id: 'matmul.inputs-10bit',
    name: 'Matrices: inputs rounded to TF32',
    explains:
      'Weights and activations have 10 bits of fraction although float32 was asked for: errors ' +
      'of 3e-4 instead of 3e-7. No bug where it was asked for.',
    fix:
      'torch.set_float32_matmul_precision("highest"), torch.backends.cuda.matmul.allow_tf32 = ' +
      'False, NVIDIA_TF32_OVERRIDE=0, MLX_ENABLE_TF32=0.',
    references: [
      'https://github.com/ml-explore/mlx/issues/3860',
      'https://github.com/Lightning-AI/lightning-thunder/issues/2579',
    ],
    variants: one(setup =>
      changeKernels(setup, kernels => ({
        matmul: (out, x, weight) =>
          kernels.matmul(out, mapTensor(x, roundToTf32), mapTensor(weight, roundToTf32)),
      })),
    ),
  },
  {
    id: 'matmul.inputs-8bit',
    name: 'Matrices: activations of 8 bits',
    explains:
      'What goes into a matrix is quantized to blocks of 32 numbers of 8 bits, as kernels of ' +
      'quantized weights do. No bug with such weights. A control.',
    fix: 'Declare the quantized type, or use weights of f16 or f32, whose kernels do not do it.',
    references: [],
    variants: one(setup =>
      changeInputs(setup, ({ shape, data }) => ({
        shape,
        data: quantize(data, shape[1], toQ8_0),
      })),
    ),
  },
];
