/** What is said of mutants, and that it goes on being said. */
import { expect, it } from 'vitest';
import { EQUIVALENTS } from '../../../src/oracle/mutants/equivalents.js';
import { MUTANTS } from '../../../src/oracle/mutants/mutants.js';

/** Published: none of these is ever removed or renamed. */
const IDS = [
  'attention.axes-swapped',
  'attention.extra-one',
  'attention.future-visible',
  'attention.gqa-tiled',
  'attention.half-head',
  'attention.heads-reversed',
  'attention.no-softmax-normalisation',
  'attention.one-ahead',
  'attention.probabilities-16bit',
  'attention.scale',
  'attention.scale-missing',
  'attention.self-hidden',
  'attention.top-left-mask',
  'attention.window',
  'cache.forgotten',
  'cache.integers',
  'cache.last-lost',
  'cache.not-reset',
  'cache.quantized',
  'embedding.off-by-one',
  'embedding.scaled',
  'head.logits-16bit',
  'head.row-off-by-one',
  'head.scaled',
  'head.softcap',
  'head.tied',
  'head.transposed-vocabulary',
  'layers.last-missing',
  'layers.order',
  'layers.repeated',
  'matmul.inputs-10bit',
  'matmul.inputs-8bit',
  'matmul.tail-column',
  'matmul.tail-ignored',
  'mlp.activation',
  'mlp.gate-up-swapped',
  'mlp.silu-of-product',
  'mlp.silu-without-x',
  'mlp.up-ignored',
  'norm.eps',
  'norm.eps-outside-root',
  'norm.final-missing',
  'norm.mean-subtracted',
  'norm.sum-for-mean',
  'norm.tail-ignored',
  'norm.weight-ignored',
  'norm.weight-plus-one',
  'norm.weights-swapped',
  'positions.query-ahead',
  'positions.restart-per-chunk',
  'residual.after-norm',
  'residual.attention-missing',
  'residual.mlp-missing',
  'residual.parallel',
  'rope.amplitude',
  'rope.angles-16bit',
  'rope.direction',
  'rope.exponent',
  'rope.factor-ignored',
  'rope.factor-inverted',
  'rope.factor-twice',
  'rope.frequencies-bf16',
  'rope.hidden-size',
  'rope.interleaved',
  'rope.key-only',
  'rope.missing',
  'rope.partial',
  'rope.query-only',
  'rope.table-end',
  'rope.theta',
  'rope.twice',
  'rope.values-rotated',
  'tokens.bos-missing',
  'tokens.bos-twice',
  'tokens.cut',
  'weights.damaged',
  'weights.k-permuted',
  'weights.kv-swapped',
  'weights.nibble-order',
  'weights.qk-permuted',
  'weights.qk-swapped',
  'weights.tail-missing',
  'weights.transposed',
];

const ID = /^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$/;
const NAME = /^[A-Z][A-Za-z]+: \S.*[^.]$/;
const SENTENCES = /^\S.{10,}\.$/;

it('keeps every id that was published', () => {
  expect(MUTANTS.map(({ id }) => id).sort()).toEqual(IDS);
  expect(new Set(IDS).size).toBe(IDS.length);
});

it.each(MUTANTS)('$id: has a name, an explanation, a fix, and who had it', mutant => {
  const { id, name, explains, fix, references } = mutant;
  expect(id).toMatch(ID);
  expect(name).toMatch(NAME);
  for (const text of [explains, fix]) expect(text).toMatch(SENTENCES);
  for (const link of references) expect(link).toMatch(/^https:\/\/[^\s/]+\/\S+$/);
  expect(new Set(references).size).toBe(references.length);
  expect(references.length === 0).toBe(/\bA control\b/.test(explains));
});

it.each(EQUIVALENTS)('$id: has a name, a reason, and where it would show', equivalent => {
  expect(equivalent.id).toMatch(ID);
  expect(IDS).not.toContain(equivalent.id);
  expect(equivalent.name).toMatch(NAME);
  for (const text of [equivalent.reason, equivalent.visibleIn]) expect(text).toMatch(SENTENCES);
});

it('says of equivalents only mutants that there are', () => {
  const named = EQUIVALENTS.flatMap(({ visibleIn }) =>
    visibleIn.match(/\b[a-z]+\.[a-z]+-[a-z-]+/g),
  );
  for (const id of named.filter(name => name !== null))
    expect([...IDS, ...EQUIVALENTS.map(equivalent => equivalent.id)]).toContain(id);
});
