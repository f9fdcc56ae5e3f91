/** Mutants in other models and short texts: what is said to be equivalent is, and nothing else. */
import { describe, expect, it } from 'vitest';
import type { LlamaConfig } from '../../../src/model/config.js';
import { MUTANTS } from '../../../src/oracle/mutants/mutants.js';
import {
  casesOf,
  everyPlace,
  logitsOf,
  relativeErrors,
  toySetup,
  withMutants,
  worst,
} from './toy.js';

const TOKENS = 10;

const LLAMA3 = {
  type: 'llama3',
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositionEmbeddings: 64,
} as const;

const MODELS: readonly {
  readonly what: string;
  readonly tokens?: number;
  readonly changes: Partial<LlamaConfig>;
  /** Some that are equivalent in it and not in the toy, or the other way round. */
  readonly equivalent?: readonly string[];
  readonly visible?: readonly string[];
}[] = [
  { what: 'the toy', changes: {}, equivalent: ['weights.transposed', 'rope.table-end'] },
  {
    what: 'a text of one token',
    tokens: 1,
    changes: {},
    equivalent: ['rope.theta', 'attention.scale', 'tokens.cut', 'matmul.tail-column'],
    visible: ['attention.extra-one', 'attention.gqa-tiled'],
  },
  {
    what: 'frequencies that are not scaled',
    changes: { ropeScaling: undefined },
    equivalent: ['rope.factor-ignored', 'rope.factor-inverted', 'rope.amplitude'],
  },
  { what: 'frequencies scaled as in Llama 3.1', changes: { ropeScaling: LLAMA3 } },
  {
    what: 'a factor for each frequency',
    changes: {
      ropeScaling: { type: 'factors', factors: Array.from({ length: 11 }, (_, i) => 1 + i) },
    },
  },
  {
    what: 'a head of keys for each head of queries',
    changes: { numKeyValueHeads: 6 },
    equivalent: ['attention.gqa-tiled'],
    visible: ['weights.qk-swapped'],
  },
  {
    what: 'one head of keys',
    changes: { numKeyValueHeads: 1 },
    equivalent: ['attention.gqa-tiled'],
  },
  {
    what: 'sizes that are multiples of 32',
    changes: {
      hiddenSize: 64,
      numAttentionHeads: 4,
      headDim: 32,
      intermediateSize: 96,
      vocabSize: 256,
    },
    equivalent: ['norm.tail-ignored', 'matmul.tail-column', 'matmul.tail-ignored'],
  },
  { what: 'a tied head', changes: { tieWordEmbeddings: true }, equivalent: ['head.tied'] },
  {
    what: 'one layer',
    changes: { numHiddenLayers: 1 },
    equivalent: ['layers.order', 'layers.repeated'],
  },
  { what: 'twelve layers', tokens: 5, changes: { numHiddenLayers: 12 } },
  {
    what: 'one head, of the hidden size',
    changes: { numAttentionHeads: 1, numKeyValueHeads: 1, headDim: 66 },
    equivalent: ['rope.hidden-size', 'attention.heads-reversed', 'attention.axes-swapped'],
    visible: ['weights.transposed'],
  },
  {
    what: 'fewer than 32 columns',
    changes: { hiddenSize: 30, numAttentionHeads: 2, headDim: 14, intermediateSize: 23 },
    equivalent: ['weights.nibble-order'],
  },
];

describe.each(MODELS)('$what', ({ tokens = TOKENS, changes, equivalent = [], visible = [] }) => {
  const setup = toySetup(tokens, changes);
  const places = everyPlace(setup);
  const reasonOf = (id: string) =>
    MUTANTS.find(mutant => mutant.id === id)!.equivalent?.(setup.config, tokens);

  it('has these equivalents', () => {
    for (const id of equivalent) expect(reasonOf(id), id).toMatch(/^\S.*[^.]$/);
    for (const id of visible) expect(reasonOf(id), id).toBeUndefined();
  });

  it('shows every mutant by more than 1e-9, and equivalents by less than 1e-12', async () => {
    const plain = await logitsOf(setup, places);
    for (const { mutant, variant, name } of casesOf(setup)) {
      const changed = await logitsOf(variant.apply(setup), places);
      const error = worst(relativeErrors(changed, plain, tokens));
      if (reasonOf(mutant.id) === undefined) expect(error, name).toBeGreaterThan(1e-9);
      else expect(error, name).toBeLessThan(1e-12);
    }
  });
});

describe('a setup with a mutant', () => {
  const setup = toySetup(TOKENS);
  const places = everyPlace(setup);
  const cases = casesOf(setup);

  it.each(cases)('$name: gives the same bits again, whatever rows are asked for', async one => {
    const changed = one.variant.apply(setup);
    const all = await logitsOf(changed, places);
    expect(await logitsOf(changed, places)).toEqual(all);
    // of the head it takes the rows that are asked for
    if (one.mutant.id === 'matmul.tail-column') return;
    const { vocabSize } = setup.config;
    const row = (place: number) => all.subarray(place * vocabSize, (place + 1) * vocabSize);
    expect(await logitsOf(changed, [6, 9])).toEqual(Float64Array.of(...row(6), ...row(9)));
  });

  it.each(cases)('$name: can lie beneath another', async ({ variant }) => {
    const changed = variant.apply(setup);
    const halved = withMutants(changed, 'head.scaled');
    const scale = Math.sqrt(setup.config.hiddenSize);
    const expected = (await logitsOf(changed, places)).map(x => x / scale);
    expect(await logitsOf(halved, places)).toEqual(expected);
  });
});

it('gives NaN for rows without an answer, also if only those are wanted', async () => {
  const cut = withMutants(toySetup(TOKENS), 'tokens.cut');
  expect((await logitsOf(cut, [0, 4])).every(Number.isNaN)).toBe(true);
  expect((await logitsOf(cut, [5, 9])).some(Number.isNaN)).toBe(false);
});
