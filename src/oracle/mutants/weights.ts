/** Bugs of loading: weights that are damaged, in another order, or another's. */
import type { Tensor } from '../../base/tensor.js';
import { huggingFaceRows } from '../../files/gguf/rotary-order.js';
import type { LlamaConfig } from '../../model/config.js';
import { type LayerWeights, type Weight, weightsOf } from '../../model/weights.js';
import type { Setup } from '../run/setup.js';
import { changeLayers, changeWeights, copyOf, mapTensor, zeros } from './changes.js';
import { each, type Mutant, one, unlessSecondToken, when } from './mutant.js';
import { orderOfRuns, toOrder } from './order.js';

/** A matrix of a layer. */
type Matrix = Weight & { readonly field: keyof LayerWeights<Tensor> };

const HEAD = 'lm_head';
/** Columns whose numbers of 4 bits share bytes. */
const PACKED = 32;
/** The part of rows that are not there. */
const TAIL = 1 / 10;

const matricesOf = (config: LlamaConfig): Matrix[] =>
  weightsOf(config).filter(
    (weight): weight is Matrix => weight.layer !== undefined && weight.shape.length === 2,
  );

/** Those that show: attention of one token does not depend on its query and key. */
const shownOf = (config: LlamaConfig, tokens: number): Matrix[] =>
  matricesOf(config).filter(({ isRotated }) => tokens > 1 || !isRotated);

/** Such as `model.layers.0.self_attn.q_proj`. */
const moduleOf = ({ name }: Weight): string => name.replace(/\.weight$/, '');

/** Such as `q_proj`. */
const kindOf = (weight: Weight): string => moduleOf(weight).split('.').at(-1)!;

const kindsOf = (matrices: readonly Matrix[]): string[] => [...new Set(matrices.map(kindOf))];

const isSquare = ({ shape: [rows, columns] }: Weight): boolean => rows === columns;

function changeMatrices(
  setup: Setup,
  isChanged: (matrix: Matrix) => boolean,
  change: (matrix: Tensor) => Tensor,
): Setup {
  const changed = matricesOf(setup.config).filter(isChanged);
  return changeLayers(setup, (own, layer) =>
    Object.fromEntries(
      changed
        .filter(matrix => matrix.layer === layer)
        .map(({ field }) => [field, change(own[field])]),
    ),
  );
}

const transpose = (matrix: Tensor): Tensor => {
  const [size] = matrix.shape;
  return mapTensor(matrix, (_, i) => matrix.data[(i % size) * size + Math.floor(i / size)]);
};

/** Rows of each head as in a GGUF file. */
const toGgufRows =
  (headDim: number) =>
  (matrix: Tensor): Tensor => {
    const moved = copyOf(matrix);
    toOrder(moved, orderOfRuns(huggingFaceRows(headDim), matrix.shape[1]));
    return moved;
  };

const hasOwnKeys = ({ numAttentionHeads, numKeyValueHeads }: LlamaConfig): boolean =>
  numAttentionHeads === numKeyValueHeads;

const exchangeQueriesAndKeys = (setup: Setup): Setup =>
  changeLayers(setup, ({ qProj, kProj }) => ({ qProj: kProj, kProj: qProj }));

const clearTail = (matrix: Tensor): Tensor => {
  const [rows, columns] = matrix.shape;
  const cleared = copyOf(matrix);
  cleared.data.fill(0, (rows - Math.floor(rows * TAIL)) * columns);
  return cleared;
};

const loseTails = (setup: Setup, kind: string): Setup =>
  kind === HEAD
    ? changeWeights(setup, weights => ({
        lmHead: async () => clearTail(await weights.lmHead()),
      }))
    : changeMatrices(setup, matrix => kindOf(matrix) === kind, clearTail);

/** Low and high halves of bytes are neighbours, instead of half a block apart. */
const toNeighbours = (matrix: Tensor): Tensor => {
  const columns = matrix.shape[1];
  return mapTensor(matrix, (x, i) => {
    const column = i % columns;
    const at = column % PACKED;
    if (column - at + PACKED > columns) return x;
    return matrix.data[i - at + (at % 2) * (PACKED / 2) + Math.floor(at / 2)];
  });
};

export const WEIGHTS: readonly Mutant[] = [
  {
    id: 'weights.damaged',
    name: 'Weights: a matrix is zeros',
    explains:
      'One matrix of one layer was not loaded, and is what the memory was before: zeros here. ' +
      'Texts stay plausible, the more layers there are. A control.',
    fix:
      'Compare its checksum with that of the file; make loading fail for weights that are ' +
      'missing: "newly initialized" in transformers is such a case.',
    references: [],
    variants: (config, tokens) =>
      each(shownOf(config, tokens), moduleOf, (setup, { name }) =>
        changeMatrices(setup, matrix => matrix.name === name, zeros),
      ),
  },
  {
    id: 'weights.transposed',
    name: 'Weights: a square matrix is transposed',
    explains:
      'Rows are taken for columns, in all layers. Only square matrices can be: others would not ' +
      'fit. A control.',
    fix:
      'Checkpoints of Hugging Face have [out, in] (torch.nn.Linear); Conv1D of GPT-2 has [in, ' +
      'out].',
    references: [],
    equivalent: when(config => !matricesOf(config).some(isSquare), 'no matrix is square'),
    variants: (config, tokens) =>
      each(
        kindsOf(shownOf(config, tokens).filter(isSquare)),
        kind => kind,
        (setup, kind) => changeMatrices(setup, matrix => kindOf(matrix) === kind, transpose),
      ),
  },
  {
    id: 'weights.qk-permuted',
    name: 'Weights: rows of q and k in the order of GGUF files',
    explains:
      'q_proj and k_proj were permuted for a rotation of neighbours, and halves are rotated. The ' +
      'first token is right, then all is gibberish.',
    fix:
      'Undo the permutation of convert_hf_to_gguf.py (LlamaModel.permute), or of Meta’s ' +
      'checkpoints, or rotate neighbours (LLAMA_ROPE_TYPE_NORM, traditional=True).',
    references: [
      'https://github.com/karpathy/llama2.c/commit/155475a',
      'https://github.com/huggingface/nanotron/issues/427',
      'https://github.com/rasbt/LLMs-from-scratch/issues/747',
      'https://github.com/pytorch-labs/gpt-fast/issues/190',
    ],
    equivalent: unlessSecondToken,
    variants: one(setup =>
      changeMatrices(setup, ({ isRotated }) => isRotated, toGgufRows(setup.config.headDim)),
    ),
  },
  {
    id: 'weights.k-permuted',
    name: 'Weights: rows of k in the order of GGUF files',
    explains:
      'k_proj was permuted, or left permuted, and q_proj was not, as when the permutation is ' +
      'done with the number of query heads for both.',
    fix: 'Permute q_proj by num_attention_heads and k_proj by num_key_value_heads.',
    references: ['https://github.com/huggingface/transformers/pull/31788'],
    equivalent: unlessSecondToken,
    variants: one(setup =>
      changeMatrices(setup, ({ field }) => field === 'kProj', toGgufRows(setup.config.headDim)),
    ),
  },
  {
    id: 'weights.qk-swapped',
    name: 'Weights: q and k exchanged',
    explains:
      'q_proj and k_proj have each other’s weights; only in models without grouped heads do they ' +
      'fit. A control.',
    fix: 'Check the order of q, k and v where they are one matrix, and the names of its parts.',
    references: [],
    equivalent: when(config => !hasOwnKeys(config), 'q_proj and k_proj have other shapes'),
    variants: config => (hasOwnKeys(config) ? [{ what: '', apply: exchangeQueriesAndKeys }] : []),
  },
  {
    id: 'weights.kv-swapped',
    name: 'Weights: k and v exchanged',
    explains:
      'k_proj and v_proj have each other’s weights, which have the same shape: the value is ' +
      'rotated and looked up by, the key is what is said.',
    fix: 'Check the order of q, k and v where they are one matrix, and the names of its parts.',
    references: ['https://github.com/tenstorrent/tt-mlir/issues/8958'],
    variants: one(setup =>
      changeLayers(setup, ({ kProj, vProj }) => ({ kProj: vProj, vProj: kProj })),
    ),
  },
  {
    id: 'weights.tail-missing',
    name: 'Weights: the last rows are zeros',
    explains:
      'The last tenth of the rows of a kind of matrix, in all layers, was not loaded: a shard, a ' +
      'part of a download, or a buffer that ends too early. A control.',
    fix:
      'Compare checksums of files, and sizes with shapes; see that the parts of a tensor that is ' +
      'divided among devices add up.',
    references: [],
    variants: (config, tokens) =>
      each([...kindsOf(shownOf(config, tokens)), HEAD], kind => kind, loseTails),
  },
  {
    id: 'weights.nibble-order',
    name: 'Weights: halves of bytes in the wrong order',
    explains:
      'In blocks of 4 bits, byte i has columns i and i + 16; they were taken for 2i and 2i + 1. ' +
      'Sizes and statistics of the weights are right.',
    fix:
      'Unpack all low halves of a block first, then all high ones, as ggml does for Q4_0; other ' +
      'formats (AWQ, GPTQ, MLX) have orders of their own.',
    references: [
      'https://github.com/huggingface/candle/commit/a8b39dd7b',
      'https://github.com/huggingface/candle/commit/41915184b',
    ],
    equivalent: when(
      config => matricesOf(config).every(({ shape }) => shape[1] < PACKED),
      'no matrix has 32 columns',
    ),
    variants: one(setup => changeMatrices(setup, () => true, toNeighbours)),
  },
];
