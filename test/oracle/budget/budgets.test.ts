/** What a budget promises: honest arithmetic stays inside, and little more than that does not. */
import { afterAll, describe, expect, it } from 'vitest';
import { openModelFiles } from '../../../src/load/model-files.js';
import { tensorNames } from '../../../src/model/trace.js';
import type { Rows } from '../../../src/oracle/budget/budget.js';
import { Runs } from '../../../src/oracle/budget/runs.js';
import { Subject } from '../../../src/oracle/noise/subject.js';
import { declaredType } from '../../../src/oracle/noise/types.js';
import type { Observed } from '../../../src/oracle/observed/observed.js';
import { conforms } from '../../../src/oracle/result.js';
import { judge } from '../../../src/oracle/verdict/judge.js';
import { goldenPath } from '../../support/golden-files.js';

const files = await openModelFiles(goldenPath('conformance/toy'));
afterAll(() => files.checkpoint.close());
const { config, checkpoint } = files;
const RATE = 1e-3;
const tokens = Array.from({ length: 20 }, (_, i) => (i * 7919 + 1) % config.vocabSize);

/** All rows of the logits and of three tensors on the way to them. */
const NAMES = tensorNames(config).filter(name =>
  /^lm_head|^model.layers.0$|layers.0.self_attn.k_rotated|layers.1.mlp.swiglu/.test(name),
);
const nothing = (): Observed[] =>
  NAMES.map(name => ({
    name,
    rows: tokens.map((_, position) => ({ position, theirs: new Float64Array(0) })),
    round: x => x,
  }));

const withRows = (rows: Rows): Observed[] =>
  nothing().map((one, t) => ({
    ...one,
    rows: one.rows.map((row, r) => ({ ...row, theirs: rows[t][r] })),
  }));

const observation = { tokens, observed: nothing() };

describe.each(['f32', 'bf16', 'f16', 'q8_0'])('the budget of %s', name => {
  const type = declaredType(name);
  const runs = new Runs(new Subject(config, checkpoint, type), observation);
  const measured = runs.measure({ type, samples: 12, falseAlarmRate: RATE, seed: 1 });
  const isRefused = async (rows: Rows) => {
    const { truth, budgets } = await measured;
    return judge(withRows(rows), truth, budgets).some(({ verdict }) => !conforms(verdict));
  };

  it('holds 200 that it has not seen: at 1 in 1,000, three refused are 1 in 900', async () => {
    const drawn = await runs.draw({ type, samples: 200, falseAlarmRate: RATE, seed: 1001 });
    const refused = await Promise.all(drawn.map(isRefused));
    expect(refused.filter(Boolean).length).toBeLessThanOrEqual(2);
  });

  it('is left by three times as much, in any one row', async () => {
    const { truth, budgets } = await measured;
    for (const [t, rows] of truth.entries()) {
      const r = (5 * t + 3) % rows.length;
      const off = rows[r].map((x, i) => x + 3 * budgets[t][r].rms * (i % 2 === 0 ? 1 : -1));
      const changed = truth.map((of, u) =>
        u === t ? of.map((row, s) => (s === r ? off : row)) : of,
      );
      expect(await isRefused(changed), NAMES[t]).toBe(true);
    }
  });

  it('is left by one number that is three times as far off as any may be', async () => {
    const { truth, budgets } = await measured;
    const [t, r] = [truth.length - 1, 11];
    const off = truth[t][r].map((x, i) => (i === 17 ? x + 3 * budgets[t][r].largest : x));
    const changed = truth.map((of, u) =>
      u === t ? of.map((row, s) => (s === r ? off : row)) : of,
    );
    expect(await isRefused(changed)).toBe(true);
  });
});
