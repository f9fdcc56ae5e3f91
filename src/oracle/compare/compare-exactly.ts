/** The comparison with float64, and with arithmetics that are drawn for this model and text. */
import { type Drawing, type Measured, Runs, unitOf } from '../budget/runs.js';
import type { Case, CompareOptions } from '../case.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { type Diagnosis, toDiagnosis } from '../diagnosis/findings.js';
import { type Judged, NO_DIAGNOSIS } from '../diagnosis/judged.js';
import { Subject } from '../noise/subject.js';
import { DECLARED_TYPES, type DeclaredType } from '../noise/types.js';
import { conforms, type TensorResult, type Verdict } from '../result.js';
import { forcing } from '../run/forcing.js';
import { judge } from '../verdict/judge.js';
import { selfTest } from '../verdict/self-test.js';
import { worstOf } from '../verdict/worst-of.js';

const SAMPLES = 12;
const FALSE_ALARM_RATE = 1e-3;
/** Enough to see whether a difference has the size of another type's. */
const DRIFT_SAMPLES = 6;
/** From the most precise to the least. */
const DRIFTS = ['f16', 'bf16', 'q8_0'];

export async function compareExactly(given: Case, options: CompareOptions): Promise<Judged> {
  const { config, checkpoint, type, observed } = given;
  const { samples = SAMPLES, falseAlarmRate = FALSE_ALARM_RATE, seed = 1 } = options;
  const { signal, onProgress } = options;
  const subject = new Subject(config, checkpoint, type);
  const runs = new Runs(subject, given, signal);
  const drawing = (what: string): Drawing => ({
    type,
    samples,
    falseAlarmRate,
    seed,
    onProgress: (done, total) => onProgress?.(what, done, total),
  });
  const measured = await runs.measure(drawing('budget'));
  const tensors = judge(observed, measured.truth, measured.budgets);
  await testItself(runs, given, measured, options);
  const forced = observed.length < 2 ? [] : await judgeForced(runs, given, drawing('forced'));
  const worst = worstOf(tensors.map(({ verdict }) => verdict));
  const explained =
    worst === 'WRONG'
      ? await explain(given, subject, tensors, measured, options)
      : { diagnosis: NO_DIAGNOSIS, verdict: worst };
  const { truth } = measured;
  return {
    engine: 'exact-f64',
    truth,
    tensors,
    forced,
    notes: [],
    falseAlarmRate,
    samples,
    ...explained,
  };
}

async function judgeForced(
  runs: Runs,
  { observed }: Case,
  drawing: Drawing,
): Promise<readonly TensorResult[]> {
  const theirs = observed.filter(({ isNormalized }) => isNormalized !== true);
  const rows = new Map(
    theirs.map(one => [one.name, new Map(one.rows.map(row => [row.position, row.theirs]))]),
  );
  const { truth, budgets } = await runs.measure(drawing, forcing(rows));
  return judge(observed, truth, budgets);
}

async function testItself(
  runs: Runs,
  { config, tokens, observed }: Case,
  { truth, budgets }: Measured,
  { grossBug: bug }: CompareOptions,
): Promise<void> {
  const [variant] = bug.variants(config, tokens.length);
  const rows = await runs.rows(variant.apply(runs.setup()));
  selfTest(observed, truth, budgets, { id: bug.id, rows });
}

/** WRONG becomes DRIFT where a less precise type would explain it, and no bug does. */
async function explain(
  given: Case,
  subject: Subject,
  tensors: readonly TensorResult[],
  { truth, budgets }: Measured,
  options: CompareOptions,
): Promise<{ diagnosis: Diagnosis; verdict: Verdict }> {
  const { config, tokens, observed } = given;
  const { mutants, signal, onProgress } = options;
  const evidence = { observed, truth, budgets };
  const ratios = tensors.map(({ rows }) => rows.map(({ ratio }) => ratio));
  const trials = await diagnose(evidence, ratios, {
    config,
    mutants,
    setup: length => subject.setup(tokens.slice(0, length)),
    tokens: tokens.length,
    signal,
    onProgress: (done, total) => onProgress?.('diagnosis', done, total),
  });
  const diagnosis = toDiagnosis(trials, evidence);
  const isKnown = diagnosis.findings.some(({ isComplete }) => isComplete);
  const type = isKnown ? undefined : await typeThatExplains(given, truth, options);
  if (type === undefined) return { diagnosis, verdict: 'WRONG' };
  const note = `all of it is within what ${type} does: something computes in ${type}`;
  return { diagnosis: { ...diagnosis, notes: [note, ...diagnosis.notes] }, verdict: 'DRIFT' };
}

/** The most precise type, less precise than theirs, within whose budget all of it is. */
async function typeThatExplains(
  given: Case,
  truth: Measured['truth'],
  { falseAlarmRate = FALSE_ALARM_RATE, seed = 1, signal }: CompareOptions,
): Promise<string | undefined> {
  const { config, checkpoint, type: own, observed } = given;
  for (const name of DRIFTS) {
    const type = DECLARED_TYPES.get(name) as DeclaredType;
    const isCoarser = type.activationBlock !== undefined || unitOf(type) > unitOf(own);
    if (name === own.name || !isCoarser || own.activationBlock !== undefined) continue;
    const runs = new Runs(new Subject(config, checkpoint, type), given, signal);
    const drawing = { type, samples: DRIFT_SAMPLES, falseAlarmRate, seed };
    const { budgets } = await runs.measure(drawing, undefined, truth);
    if (judge(observed, truth, budgets).every(({ verdict }) => conforms(verdict))) return name;
  }
  return undefined;
}
