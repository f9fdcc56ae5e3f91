/**
 * The oracle: is what they computed this model, and if not, from where on, and why.
 *
 * Truth is the model in float64. What it may differ by is measured (`budget/`), in *free* mode from
 * the tokens alone, and in *forced* mode, where each of our operations has their inputs, so that
 * only the one that is wrong is accused. The verdict is that of free mode: it says whether it
 * matters. What differs by more is looked for among the bugs that people had (`diagnosis/`).
 */
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { type Diagnosis, toDiagnosis } from '../diagnosis/findings.js';
import type { Mutant } from '../mutants/mutant.js';
import { DECLARED_TYPES, type DeclaredType } from '../noise/types.js';
import {
  type Comparison,
  conforms,
  type Divergence,
  type TensorResult,
  VERDICTS,
  type Verdict,
} from '../result.js';
import { Subject } from '../run/subject.js';
import { flipsOf } from './flips.js';
import { judge } from './judge.js';
import { forcing, type Measured, type Observation, Runs, unitOf } from './runs.js';
import { selfTest } from './self-test.js';

/** What is compared with what; tensors are in the order of computation. */
export interface Case extends Observation {
  /** For messages. */
  readonly model: string;
  readonly config: LlamaConfig;
  readonly checkpoint: Checkpoint;
  readonly type: DeclaredType;
  readonly notes: readonly string[];
}

export interface CompareOptions {
  readonly mutants: readonly Mutant[];
  /** One of `mutants` that changes every number: the oracle must see it, or it does not work. */
  readonly grossBug: Mutant;
  /** Arithmetics that are drawn for the budget. Default 12. */
  readonly samples?: number | undefined;
  /** How often honest arithmetic may be refused, for a whole comparison. Default 0.001. */
  readonly falseAlarmRate?: number | undefined;
  readonly seed?: number | undefined;
  /**
   * What is right: the exact kernels in float64, or, where that takes too long, the WASM engine.
   * Default auto.
   */
  readonly truth?: 'auto' | 'exact' | 'engine' | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of the runs of a part of the work. */
  readonly onProgress?: ((what: string, done: number, total: number) => void) | undefined;
}

const SAMPLES = 12;
const FALSE_ALARM_RATE = 1e-3;
/** Enough to see whether a difference has the size of another type's. */
const DRIFT_SAMPLES = 6;
/** From the most precise to the least. */
const DRIFTS = ['f16', 'bf16', 'q8_0'];

export async function compare(given: Case, options: CompareOptions): Promise<Comparison> {
  const began = performance.now();
  const { model, config, checkpoint, type, tokens, observed, notes } = given;
  const { samples = SAMPLES, falseAlarmRate = FALSE_ALARM_RATE, seed = 1 } = options;
  const { signal, onProgress } = options;
  const subject = new Subject(config, checkpoint, type);
  const runs = new Runs(subject, given, signal);
  const drawing = (what: string) => ({
    type,
    samples,
    falseAlarmRate,
    seed,
    onProgress: (done: number, total: number) => onProgress?.(what, done, total),
  });

  const measured = await runs.measure(drawing('budget'));
  const tensors = judge(observed, measured.truth, measured.budgets);
  await testItself(runs, given, measured, options.grossBug);
  const forced = observed.length < 2 ? [] : await judgeForced(runs, given, drawing('forced'));
  const worst = worstOf(tensors.map(({ verdict }) => verdict));
  const { diagnosis, verdict } =
    worst === 'WRONG'
      ? await explain(given, subject, tensors, measured, options)
      : { diagnosis: NOTHING, verdict: worst };
  const flips = flipsAmong(given, measured);
  return {
    verdict: flips.length > 0 ? worstOf([verdict, 'TIE_FLIP']) : verdict,
    engine: 'exact-f64',
    type: type.name,
    model,
    tokens: tokens.length,
    firstDivergence: firstDivergence(tensors),
    tensors,
    forced,
    diagnosis: diagnosis.findings,
    diagnosisNotes: diagnosis.notes,
    flips,
    notes,
    falseAlarmRate,
    samples,
    seconds: (performance.now() - began) / 1000,
  };
}

const NOTHING: Diagnosis = { findings: [], notes: [] };

const worstOf = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce((a, b) => (VERDICTS.indexOf(b) > VERDICTS.indexOf(a) ? b : a), 'EXACT');

async function judgeForced(
  runs: Runs,
  { observed }: Case,
  drawing: Parameters<Runs['measure']>[0],
): Promise<readonly TensorResult[]> {
  const { truth, budgets } = await runs.measure(drawing, forcing(observed));
  return judge(observed, truth, budgets);
}

async function testItself(
  runs: Runs,
  { config, tokens, observed }: Case,
  { truth, budgets }: Measured,
  bug: Mutant,
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
  { mutants, signal, onProgress, ...options }: CompareOptions,
): Promise<{ diagnosis: Diagnosis; verdict: Verdict }> {
  const { config, tokens, observed } = given;
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
  const type = isKnown ? undefined : await typeThatExplains(given, truth, { signal, ...options });
  if (type === undefined) return { diagnosis, verdict: 'WRONG' };
  const note = `all of it is within what ${type} does: something computes in ${type}`;
  return { diagnosis: { ...diagnosis, notes: [note, ...diagnosis.notes] }, verdict: 'DRIFT' };
}

/** The most precise type, less precise than theirs, within whose budget all of it is. */
async function typeThatExplains(
  given: Case,
  truth: Measured['truth'],
  {
    falseAlarmRate = FALSE_ALARM_RATE,
    seed = 1,
    signal,
  }: Omit<CompareOptions, 'mutants' | 'grossBug'>,
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

/** At the first position that differs, the first tensor that does. */
function firstDivergence(tensors: readonly TensorResult[]): Divergence | null {
  let first: Divergence | null = null;
  for (const { name, rows } of tensors) {
    for (const { position, error, budget, ratio } of rows) {
      if (ratio <= 1 || (first !== null && first.position <= position)) continue;
      first = { tensor: name, position, error, budget };
    }
  }
  return first;
}

function flipsAmong({ observed }: Case, { truth }: Measured): Comparison['flips'] {
  const logits = observed.findIndex(({ name }) => name === 'lm_head');
  return logits < 0 ? [] : flipsOf(observed[logits], truth[logits]);
}
