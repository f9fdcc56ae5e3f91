/** Each declared equivalent, done: it changes no logit by more than 1e-12 of its size. */
import { expect, it } from 'vitest';
import { roundToBF16 } from '../../../src/base/half.js';
import type { Floats, Tensor } from '../../../src/base/tensor.js';
import type { LlamaConfig } from '../../../src/model/config.js';
import { type Dot, dotFloat64 } from '../../../src/ops/dot.js';
import { scaleScores } from '../../../src/oracle/mutants/attend.js';
import {
  changeConfig,
  changeInPlace,
  changeKernels,
  changeLayers,
  changePositions,
  changeWeights,
  copyOf,
  mapTensor,
  rowOf,
} from '../../../src/oracle/mutants/changes.js';
import { EQUIVALENTS } from '../../../src/oracle/mutants/equivalents.js';
import type { Change } from '../../../src/oracle/mutants/mutant.js';
import { orderOfRuns, toOrder } from '../../../src/oracle/mutants/order.js';
import { changeProbabilities, sharedHead } from '../../../src/oracle/mutants/probabilities.js';
import { changeFrequencies } from '../../../src/oracle/mutants/rotate.js';
import { seeFrom } from '../../../src/oracle/mutants/visible.js';
import { ArrayPast } from '../../../src/oracle/run/array-past.js';
import type { Setup } from '../../../src/oracle/run/setup.js';
import { everyPlace, logitsOf, relativeErrors, toySetup, withMutants, worst } from './toy.js';

const TOKENS = 40;
const PADDING = 3;

interface Done {
  /** Of the model that it is done in. */
  readonly config?: Partial<LlamaConfig>;
  /** What is done before it, to both. */
  readonly before?: Change;
  readonly change: Change;
  /** What somebody sees of a row of logits; all of it if not given. */
  readonly seen?: (row: Floats, config: LlamaConfig) => Floats;
}

const reordered = (tensor: Tensor, order: readonly number[]): Tensor => {
  const copy = copyOf(tensor);
  toOrder(copy, order);
  return copy;
};

/** The second half of the rows of each head, negated. */
const mirrored = (matrix: Tensor, headDim: number): Tensor =>
  mapTensor(matrix, (x, i) => (Math.floor(i / matrix.shape[1]) % headDim < headDim / 2 ? x : -x));

/** Each column times its own factor. */
const scaledColumns = (matrix: Tensor, { data: factors }: Tensor): Tensor =>
  mapTensor(matrix, (x, i) => x * factors[i % factors.length]);

const ones = (tensor: Tensor): Tensor => mapTensor(tensor, () => 1);

function renumberHeads(setup: Setup): Setup {
  const { headDim, hiddenSize } = setup.config;
  const queries = [3, 4, 5, 0, 1, 2];
  const rows = headDim * hiddenSize;
  return changeLayers(setup, ({ qProj, kProj, vProj, oProj }) => ({
    qProj: reordered(qProj, orderOfRuns(queries, rows)),
    kProj: reordered(kProj, orderOfRuns([1, 0], rows)),
    vProj: reordered(vProj, orderOfRuns([1, 0], rows)),
    oProj: reordered(oProj, orderOfRuns(queries, headDim)),
  }));
}

function permuteNeurons(setup: Setup): Setup {
  const { intermediateSize, hiddenSize } = setup.config;
  const backwards = [...Array(intermediateSize).keys()].reverse();
  return changeLayers(setup, ({ gateProj, upProj, downProj }) => ({
    gateProj: reordered(gateProj, orderOfRuns(backwards, hiddenSize)),
    upProj: reordered(upProj, orderOfRuns(backwards, hiddenSize)),
    downProj: reordered(downProj, backwards),
  }));
}

/** Probabilities of a head are made of its scores in place. */
const softmaxBy = (setup: Setup, softmax: (scores: Floats) => void): Setup => {
  const { numAttentionHeads, numKeyValueHeads, headDim } = setup.config;
  const keyHead = sharedHead(setup.config);
  return changeProbabilities(setup, (probabilities, query, { keys }) => {
    for (let h = 0; h < numAttentionHeads; h++) {
      const scores = rowOf(probabilities, h);
      changeInPlace(scores, (_, t) => {
        const key = (t * numKeyValueHeads + keyHead(h)) * headDim;
        return dotFloat64(query, h * headDim, keys, key, headDim) / Math.sqrt(headDim);
      });
      softmax(scores);
    }
  });
};

const divideBySum = (numbers: Floats): void => {
  let sum = 0;
  for (const x of numbers) sum += x;
  changeInPlace(numbers, x => x / sum);
};

const multiplyBy = (setup: Setup, dot: Dot): Setup =>
  changeKernels(setup, () => ({
    matmul(out, x, weight) {
      const [outputs, inner] = weight.shape;
      changeInPlace(out.data, (_, i) => {
        const row = Math.floor(i / outputs) * inner;
        return dot(x.data, row, weight.data, (i % outputs) * inner, inner);
      });
    },
  }));

const backwards: Dot = (a, aStart, b, bStart, length) => {
  let sum = 0;
  for (let i = length - 1; i >= 0; i--) sum += a[aStart + i] * b[bStart + i];
  return sum;
};

/** The products' own rounding errors (Dekker, 1971) are added too. */
const fused: Dot = (a, aStart, b, bStart, length) => {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const [x, y] = [a[aStart + i], b[bStart + i]];
    const [high, tall] = [upperHalf(x), upperHalf(y)];
    const [low, small] = [x - high, y - tall];
    const product = x * y;
    const error = low * small - (product - high * tall - low * tall - high * small);
    sum = sum + product + error;
  }
  return sum;
};

const upperHalf = (x: number): number => {
  const scaled = x * (2 ** 27 + 1);
  return scaled - (scaled - x);
};

const wholeBlocks: Dot = (a, aStart, b, bStart, length) =>
  dotFloat64(a, aStart, b, bStart, length - (length % 32));

function padLeft(setup: Setup): Setup {
  const padding = Array.from({ length: PADDING }, () => ({
    token: 0,
    position: 0,
    place: undefined,
  }));
  const steps = [...padding, ...setup.steps];
  const past = new ArrayPast(setup.config, steps.length);
  return seeFrom({ ...setup, steps, past }, own => (own < PADDING ? own : PADDING));
}

function appendEnd(setup: Setup): Setup {
  const { steps, config } = setup;
  return {
    ...setup,
    steps: [...steps, { token: 2, position: steps.length, place: undefined }],
    past: new ArrayPast(config, steps.length + 1),
  };
}

function leaveTail(setup: Setup): Setup {
  const { steps, config } = setup;
  const past = new ArrayPast(config, steps.length + 8);
  const nothing = new Float64Array(8 * config.numKeyValueHeads * config.headDim).fill(NaN);
  for (let layer = 0; layer < config.numHiddenLayers; layer++)
    past.write(layer, steps.length, nothing, nothing);
  return { ...setup, past };
}

const damageUnused = (setup: Setup): Setup =>
  changeWeights(setup, weights => ({
    async embedding(tokens) {
      const { table, indices } = await weights.embedding(tokens);
      const used = new Set(indices);
      const width = table.shape[1];
      expect(used.size).toBeLessThan(table.shape[0]);
      const damaged = mapTensor(table, (x, i) => (used.has(Math.floor(i / width)) ? x : NaN));
      return { table: damaged, indices };
    },
  }));

const padVocabulary = (setup: Setup): Setup =>
  changeConfig(
    changeWeights(setup, weights => ({
      async lmHead() {
        const { shape, data } = await weights.lmHead();
        const padded = new Float64Array(data.length + 8 * shape[1]);
        padded.set(data);
        return { shape: [shape[0] + 8, shape[1]], data: padded };
      },
    })),
    { vocabSize: setup.config.vocabSize + 8 },
  );

const addConstant = (setup: Setup): Setup =>
  changeKernels(setup, (kernels, now) => ({
    async matmul(out, x, weight) {
      const { isHead } = now;
      await kernels.matmul(out, x, weight);
      if (isHead) changeInPlace(out.data, logit => logit + 3);
    },
  }));

function logProbabilities(logits: Floats): Floats {
  let sum = 0;
  for (const x of logits) sum += Math.exp(x);
  return Float64Array.from(logits, x => x - Math.log(sum));
}

const DONE: Readonly<Record<string, Done>> = {
  'positions.shifted': {
    // so that float32 holds every angle
    before: setup => changeFrequencies(setup, own => own.map(roundToBF16)),
    change: setup => changePositions(setup, position => position + 5),
  },
  'rope.bases-permuted': {
    change: setup => withMutants(setup, 'rope.interleaved', 'weights.qk-permuted'),
  },
  'rope.mirrored': {
    change: setup =>
      changeLayers(withMutants(setup, 'rope.direction'), ({ qProj, kProj }) => ({
        qProj: mirrored(qProj, setup.config.headDim),
        kProj: mirrored(kProj, setup.config.headDim),
      })),
  },
  'attention.heads-renumbered': { change: renumberHeads },
  'attention.tiled-without-groups': {
    config: { numKeyValueHeads: 6 },
    change: setup => withMutants(setup, 'attention.gqa-tiled'),
  },
  'attention.scale-folded': {
    change(setup) {
      const scale = Math.sqrt(setup.config.headDim);
      return changeLayers(scaleScores(setup, scale), ({ qProj }) => ({
        qProj: mapTensor(qProj, w => w / scale),
      }));
    },
  },
  'softmax.no-maximum': {
    change: setup =>
      softmaxBy(setup, scores => {
        changeInPlace(scores, Math.exp);
        divideBySum(scores);
      }),
  },
  'softmax.maximum-from-zero': {
    change: setup =>
      softmaxBy(setup, scores => {
        const largest = Math.max(0, ...scores);
        changeInPlace(scores, s => Math.exp(s - largest));
        divideBySum(scores);
      }),
  },
  'softmax.base-2': {
    change: setup =>
      softmaxBy(setup, scores => {
        const largest = Math.max(...scores);
        changeInPlace(scores, s => 2 ** ((s - largest) * Math.LOG2E));
        divideBySum(scores);
      }),
  },
  'matmul.order-of-sums': { change: setup => multiplyBy(setup, backwards) },
  'matmul.fused': { change: setup => multiplyBy(setup, fused) },
  'matmul.tail-of-nothing': {
    config: { hiddenSize: 64, numAttentionHeads: 4, headDim: 32, intermediateSize: 96 },
    change: setup => withMutants(multiplyBy(setup, wholeBlocks), 'norm.tail-ignored'),
  },
  'norm.weight-folded': {
    change: setup =>
      changeLayers(setup, own => ({
        inputLayernorm: ones(own.inputLayernorm),
        qProj: scaledColumns(own.qProj, own.inputLayernorm),
        kProj: scaledColumns(own.kProj, own.inputLayernorm),
        vProj: scaledColumns(own.vProj, own.inputLayernorm),
        postAttentionLayernorm: ones(own.postAttentionLayernorm),
        gateProj: scaledColumns(own.gateProj, own.postAttentionLayernorm),
        upProj: scaledColumns(own.upProj, own.postAttentionLayernorm),
      })),
  },
  'mlp.neurons-permuted': { change: permuteNeurons },
  'batch.left-padding': { change: padLeft },
  'tokens.end-appended': { change: appendEnd },
  'cache.tail-unread': { change: leaveTail },
  'embedding.unused-row': { change: damageUnused },
  'head.padded': {
    change: padVocabulary,
    seen: (row, { vocabSize }) => row.subarray(0, vocabSize),
  },
  'head.constant-added': { change: addConstant, seen: logProbabilities },
};

it('does every equivalent that is declared', () => {
  expect(Object.keys(DONE)).toEqual(EQUIVALENTS.map(({ id }) => id));
});

it.each(EQUIVALENTS)('$id: changes nothing, within 1e-12 for other roundings', async ({ id }) => {
  const { config, before = own => own, change, seen = row => row } = DONE[id];
  const setup = before(toySetup(TOKENS, config));
  const places = everyPlace(setup);
  const rowsOf = async (one: Setup): Promise<Float64Array> => {
    const { vocabSize } = one.config;
    const logits = { shape: [TOKENS, vocabSize], data: await logitsOf(one, places) };
    const rows = places.flatMap(place => [...seen(rowOf(logits, place), setup.config)]);
    return Float64Array.from(rows);
  };
  const errors = relativeErrors(await rowsOf(change(setup)), await rowsOf(setup), TOKENS);
  expect(errors.some(Number.isNaN)).toBe(false);
  expect(worst(errors)).toBeLessThan(1e-12);
});
