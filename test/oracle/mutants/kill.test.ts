/** Every mutant shows in the logits of 260 tokens, and where it should. */
import { expect, it } from 'vitest';
import { tensorNames } from '../../../src/model/trace.js';
import { run, type Traced } from '../../../src/oracle/run/run.js';
import { type Case, casesOf, logitsOf, relativeErrors, toySetup, worst } from './toy.js';

const TOKENS = 260;
/** Of chunks of 64 and of 256 tokens the ends, and the beginning and the end of the text. */
const PLACES = [0, 1, 2, 63, 64, 130, 255, 257, 259];

/** Some of whose rows have no answer. */
const CUT = ['tokens.bos-missing', 'tokens.cut'];
/** Positions, what is seen, and what scores are made of: one token is always right. */
const LATER =
  /^(rope|positions|attention\.(scale|window|top-left|self|half|prob|no-)|cache\.(forg|last))/;
/** Damages side by side: where one of two factors is 0, the other does not matter. */
const SAME_LOGITS = [
  /^weights\.damaged\|(.*)\.[qk]_proj$/,
  /^weights\.damaged\|(.*)\.[vo]_proj$/,
  /^weights\.damaged\|(.*)\.mlp\..*_proj$/,
  /^weights\.tail-missing\|()(?:gate|up)_proj$/,
];

const setup = toySetup(TOKENS);
const plain = await logitsOf(setup, PLACES);
const cases = casesOf(setup);
const logits = new Map<string, Float64Array>();

const pairsOfForms = (all: readonly Case[]): (readonly [Case, Case])[] =>
  all.flatMap((a, i) =>
    all
      .slice(i + 1)
      .filter(({ mutant }) => mutant === a.mutant)
      .map(b => [a, b] as const),
  );

it.each(cases)('$name: changes logits by more than 1e-6 of their size', async one => {
  const { mutant, variant, name } = one;
  const changed = await logitsOf(variant.apply(setup), PLACES);
  logits.set(name, changed);
  const errors = relativeErrors(changed, plain, PLACES.length);
  if (mutant.equivalent?.(setup.config, TOKENS) === undefined)
    expect(worst(errors)).toBeGreaterThan(1e-6);
  else expect(worst(errors)).toBeLessThan(1e-12);
  expect(errors.some(Number.isNaN)).toBe(CUT.includes(mutant.id));
});

it('leaves the first row as it is, to the bit, where one token is always right', () => {
  const later = cases.filter(({ mutant }) => LATER.test(mutant.id));
  const { vocabSize } = setup.config;
  expect(later.length).toBeGreaterThan(40);
  for (const { name } of later)
    expect(logits.get(name)!.subarray(0, vocabSize), name).toEqual(plain.subarray(0, vocabSize));
});

const haveSameLogits = (a: string, b: string): boolean =>
  SAME_LOGITS.some(pair => {
    const [side, other] = [pair.exec(a)?.[1], pair.exec(b)?.[1]];
    return side !== undefined && side === other;
  });

it('has no two forms of a mutant that give the same logits, but for damage side by side', () => {
  for (const [a, b] of pairsOfForms(cases)) {
    const errors = relativeErrors(logits.get(a.name)!, logits.get(b.name)!, PLACES.length);
    if (haveSameLogits(a.name, b.name)) expect(worst(errors)).toBe(0);
    else expect(worst(errors), `${a.name} and ${b.name}`).toBeGreaterThan(1e-6);
  }
});

it('has no two forms of a mutant that give the same trace', async () => {
  const short = toySetup(8);
  const wanted = new Map(tensorNames(short.config).map(name => [name, [7]]));
  const sides = casesOf(short).filter(({ mutant }) =>
    ['weights.damaged', 'weights.tail-missing'].includes(mutant.id),
  );
  const traces = new Map<string, Traced>();
  for (const { name, variant } of sides) traces.set(name, await run(variant.apply(short), wanted));
  for (const [a, b] of pairsOfForms(sides))
    expect(traces.get(a.name), `${a.name} and ${b.name}`).not.toEqual(traces.get(b.name));
});

it('leaves the setup as it was: the same bits after all of them', async () => {
  expect(await logitsOf(setup, PLACES)).toEqual(plain);
});
