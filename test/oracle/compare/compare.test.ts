/**
 * The oracle as a whole, on the toy of the conformance pack: each verdict, where, and why.
 * "Theirs" are made by changing a setup and rounding to float32, as another engine would have it;
 * that mutants are the bugs of real engines is shown in `mutants/golden.test.ts`.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { openModelFiles } from '../../../src/load/model-files.js';
import { tensorNames } from '../../../src/model/trace.js';
import type { Case, CompareOptions } from '../../../src/oracle/case.js';
import { compare } from '../../../src/oracle/compare/compare.js';
import { GROSS_BUG, MUTANTS } from '../../../src/oracle/mutants/mutants.js';
import { noisy } from '../../../src/oracle/noise/noisy.js';
import { Subject } from '../../../src/oracle/noise/subject.js';
import { declaredType } from '../../../src/oracle/noise/types.js';
import type { Observed } from '../../../src/oracle/observed/observed.js';
import { packTokens } from '../../../src/oracle/pack/pack.js';
import { run } from '../../../src/oracle/run/run.js';
import type { Setup } from '../../../src/oracle/run/setup.js';
import { logSumExp } from '../../../src/text/sampling/logprobs.js';
import { goldenPath } from '../../support/golden-files.js';

const { config, checkpoint } = await openModelFiles(goldenPath('conformance/toy'));
afterAll(() => checkpoint.close());
const tokens = (await packTokens('toy')).slice(0, 72);
const subject = new Subject(config, checkpoint, declaredType('f32'));
const LOGITS = ['lm_head'];

/** A few that are tried, so that a diagnosis takes a second. */
const SUSPECTS = /^(rope\.factor|rope\.theta|norm\.(eps|tail)|attention\.(gqa|scale)|mlp\.gate)/;
const OPTIONS: CompareOptions = {
  mutants: MUTANTS.filter(({ id }) => SUSPECTS.test(id)),
  grossBug: GROSS_BUG,
  samples: 8,
};

const bug = (id: string) => {
  const mutant = MUTANTS.find(one => one.id === id)!;
  return (setup: Setup) => mutant.variants(config, tokens.length)[0].apply(setup);
};

async function theirs(
  setup: Setup,
  names: readonly string[] = LOGITS,
  round: (x: number) => number = Math.fround,
): Promise<Observed[]> {
  const places = [...tokens.keys()];
  const traced = await run(setup, new Map(names.map(name => [name, places])));
  return names.map(name => {
    const { data } = traced.get(name)!;
    const width = data.length / tokens.length;
    const rowAt = (r: number) => data.slice(r * width, (r + 1) * width).map(round);
    return { name, rows: places.map(r => ({ position: r, theirs: rowAt(r) })), round };
  });
}

const caseOf = (observed: readonly Observed[], type = 'f32'): Case => ({
  model: 'toy',
  config,
  checkpoint,
  type: declaredType(type),
  tokens,
  observed,
  notes: [],
});

const plain = () => subject.setup(tokens);

describe('an implementation that computes the model', () => {
  it('is EXACT if every number is the truth rounded to float32', async () => {
    const result = await compare(caseOf(await theirs(plain())), OPTIONS);
    expect(result.verdict).toBe('EXACT');
    expect(result.firstDivergence).toBeNull();
  });

  it.each(['f32', 'bf16', 'f16'])(
    'is within the budget of %s if it computes in that',
    async name => {
      const type = declaredType(name);
      const honest = noisy(new Subject(config, checkpoint, type).setup(tokens), type, 4242);
      const result = await compare(caseOf(await theirs(honest), name), OPTIONS);
      expect(['WITHIN_BUDGET', 'TIE_FLIP']).toContain(result.verdict);
      expect(result.tensors[0].maxRatio).toBeLessThanOrEqual(1);
      expect(result.diagnosis).toEqual([]);
    },
  );

  it('is TIE_FLIP if bf16 makes another token likelier, and nothing is beyond it', async () => {
    const type = declaredType('bf16');
    const honest = noisy(new Subject(config, checkpoint, type).setup(tokens), type, 3);
    const { verdict, flips, tensors } = await compare(
      caseOf(await theirs(honest), 'bf16'),
      OPTIONS,
    );
    expect(verdict).toBe('TIE_FLIP');
    expect(flips.length).toBeGreaterThan(0);
    for (const { position, margin, ours, theirs: other } of flips) {
      const { budget } = tensors[0].rows.find(row => row.position === position)!;
      expect(ours).not.toBe(other);
      // one number may be off by more than the root mean square of all
      expect(margin).toBeLessThan(10 * budget);
    }
  });
});

describe('an implementation with a bug', () => {
  it.each([
    // at position 0 nothing is rotated
    ['rope.factor-ignored', 1],
    ['rope.factor-inverted', 1],
    ['attention.gqa-tiled', 0],
    ['norm.eps', 0],
    ['norm.tail-ignored', 0],
  ])('%s is WRONG from position %i on, and named with all that it explains', async (id, from) => {
    const result = await compare(caseOf(await theirs(bug(id)(plain()))), OPTIONS);
    expect(result.verdict).toBe('WRONG');
    expect(result.firstDivergence).toMatchObject({ tensor: 'lm_head', position: from });
    const [first] = result.diagnosis;
    expect(first.id).toBe(id);
    expect(first.explains).toBeGreaterThan(0.999999);
    expect(first.isComplete).toBe(true);
    expect(first.fix).not.toBe('');
  });

  it('is named by both of its two bugs, in the order of the list', async () => {
    const both = bug('rope.factor-ignored')(bug('attention.scale-missing')(plain()));
    const { diagnosis } = await compare(caseOf(await theirs(both)), OPTIONS);
    expect(diagnosis[0].id.split(' + ').sort()).toEqual([
      'attention.scale-missing',
      'rope.factor-ignored',
    ]);
    expect(diagnosis[0].isComplete).toBe(true);
  });

  it('is unknown if nobody here has that bug, and no wrong name is given', async () => {
    const observed = await theirs(plain());
    const rows = observed[0].rows.map((row, r) => ({
      ...row,
      theirs: row.theirs.map((x, i) => x + Math.sin(31 * r + 17 * i)),
    }));
    const { verdict, diagnosis } = await compare(caseOf([{ ...observed[0], rows }]), OPTIONS);
    expect(verdict).toBe('WRONG');
    expect(diagnosis).toEqual([]);
  });

  it('accuses only the operation that is wrong, where each has their inputs', async () => {
    const names = tensorNames(config).filter(name => !name.endsWith('.probabilities'));
    const observed = await theirs(bug('mlp.gate-up-swapped')(plain()), names);
    const { tensors, forced, firstDivergence, diagnosis } = await compare(
      caseOf(observed),
      OPTIONS,
    );
    const wrongAlone = forced.filter(({ maxRatio }) => maxRatio > 1).map(({ name }) => name);
    expect(wrongAlone).toEqual(names.filter(name => name.endsWith('.swiglu')));
    expect(firstDivergence).toMatchObject({ tensor: 'model.layers.0.mlp.swiglu', position: 0 });
    expect(tensors.filter(({ maxRatio }) => maxRatio > 1).length).toBeGreaterThan(10);
    expect(diagnosis[0].id).toBe('mlp.gate-up-swapped');
  });

  it('is DRIFT if all of it is what a less precise type does', async () => {
    const type = declaredType('bf16');
    const coarse = noisy(new Subject(config, checkpoint, type).setup(tokens), type, 4242);
    const { verdict, diagnosisNotes } = await compare(caseOf(await theirs(coarse)), OPTIONS);
    expect(verdict).toBe('DRIFT');
    expect(diagnosisNotes[0]).toContain('bf16');
  });

  it('is INVALID if it has a NaN, wherever else it is right', async () => {
    const observed = await theirs(plain());
    observed[0].rows[70].theirs[3] = NaN;
    const { verdict, firstDivergence } = await compare(caseOf(observed), OPTIONS);
    expect(verdict).toBe('INVALID');
    expect(firstDivergence).toMatchObject({ position: 70 });
  });
});

describe('log-probabilities of twenty tokens', () => {
  const scores = async (setup: Setup): Promise<Observed[]> => {
    const [logits] = await theirs(setup);
    const rows = logits.rows.map(({ position, theirs: row }) => {
      // the text's own next token is often one more
      const count = position % 3 === 0 ? 20 : 21;
      const columns = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, count);
      const normalizer = logSumExp(row);
      return { position, columns, theirs: Float64Array.from(columns, c => row[c] - normalizer) };
    });
    return [{ ...logits, rows, isNormalized: true }];
  };

  it('conform, within a budget of their own', async () => {
    const { verdict } = await compare(caseOf(await scores(plain())), OPTIONS);
    expect(verdict).toBe('WITHIN_BUDGET');
  });

  it('name the bug', async () => {
    const observed = await scores(bug('rope.factor-ignored')(plain()));
    const { verdict, diagnosis } = await compare(caseOf(observed), OPTIONS);
    expect(verdict).toBe('WRONG');
    expect(diagnosis[0].id).toBe('rope.factor-ignored');
  });
});
