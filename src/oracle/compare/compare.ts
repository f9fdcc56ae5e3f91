/**
 * The oracle: is what they computed this model, and if not, from where on, and why.
 *
 * Truth is the model in float64. What it may differ by is measured (`budget/`), in *free* mode from
 * the tokens alone, and in *forced* mode, where each of our operations has their inputs, so that
 * only the one that is wrong is accused. What differs by more is looked for among the bugs that
 * people had (`diagnosis/`).
 */
import type { Floats, Tensor } from '../../base/tensor.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { type Budgets, measureBudgets, type Rows } from '../budget/budget.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { type Diagnosis, toDiagnosis } from '../diagnosis/findings.js';
import type { Trial } from '../diagnosis/suspect.js';
import type { Mutant } from '../mutants/mutant.js';
import { noisy } from '../noise/noisy.js';
import { DECLARED_TYPES, type DeclaredType, ROUND } from '../noise/types.js';
import {
  type Comparison,
  conforms,
  type Divergence,
  type TensorResult,
  VERDICTS,
  type Verdict,
} from '../result.js';
import { type RunOptions, run } from '../run/run.js';
import type { Setup, Step } from '../run/setup.js';
import { Subject } from '../run/subject.js';
import { flipsOf } from './flips.js';
import { judge } from './judge.js';
import { type Observed, ourRows, wantedOf } from './observed.js';
import { selfTest } from './self-test.js';

/** What is compared with what. */
export interface Case {
  /** For messages. */
  readonly model: string;
  readonly config: LlamaConfig;
  readonly checkpoint: Checkpoint;
  readonly type: DeclaredType;
  readonly tokens: readonly number[];
  /** In the order of computation. */
  readonly observed: readonly Observed[];
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
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string, done: number, total: number) => void) | undefined;
}

const SAMPLES = 12;
const FALSE_ALARM_RATE = 1e-3;
/** Enough to see whether a difference has the size of another type's. */
const DRIFT_SAMPLES = 6;
const EPSILON = { f32: 2 ** -24, f16: 2 ** -11, bf16: 2 ** -8 };

export async function compare(given: Case, options: CompareOptions): Promise<Comparison> {
  const began = performance.now();
  const { config, checkpoint, type, tokens, observed } = given;
  const { samples = SAMPLES, falseAlarmRate = FALSE_ALARM_RATE } = options;
  const subject = new Subject(config, checkpoint, type);
  const work = new Work(subject, given, options);

  const free = await work.measure(type, samples, falseAlarmRate);
  const tensors = judge(observed, free.truth, free.budgets);
  const forced = await work.measureForced(samples, falseAlarmRate);
  await work.testItself(free.truth, free.budgets);

  const logits = observed.findIndex(({ name }) => name === 'lm_head');
  const flips = logits < 0 ? [] : flipsOf(observed[logits], free.truth[logits]);
  const worst = worstOf(tensors.map(({ verdict }) => verdict));
  const { diagnosis, verdict } = await explain(work, worst, tensors, free);
  return {
    verdict: conforms(verdict) && flips.length > 0 ? worstOf([verdict, 'TIE_FLIP']) : verdict,
    engine: 'exact-f64',
    type: type.name,
    model: given.model,
    tokens: tokens.length,
    firstDivergence: firstDivergence(tensors),
    tensors,
    forced,
    diagnosis: diagnosis.findings,
    diagnosisNotes: diagnosis.notes,
    flips,
    notes: given.notes,
    falseAlarmRate,
    samples,
    seconds: (performance.now() - began) / 1000,
  };
}

interface Measured {
  readonly truth: Rows;
  readonly budgets: Budgets;
}

const NOTHING: Diagnosis = { findings: [], notes: [] };

/** WRONG becomes DRIFT where a less precise type would explain it, and no bug does. */
async function explain(
  work: Work,
  verdict: Verdict,
  tensors: readonly TensorResult[],
  { truth, budgets }: Measured,
): Promise<{ diagnosis: Diagnosis; verdict: Verdict }> {
  if (verdict !== 'WRONG') return { diagnosis: NOTHING, verdict };
  const trials = await work.diagnose(tensors, { truth, budgets });
  const evidence = { observed: work.given.observed, truth, budgets };
  const diagnosis = toDiagnosis(trials, evidence);
  if (diagnosis.findings.some(({ isComplete }) => isComplete)) return { diagnosis, verdict };
  const drift = await work.typeThatExplains();
  if (drift === undefined) return { diagnosis, verdict };
  const note = `all of it is within what ${drift} does: something computes in ${drift}`;
  return { diagnosis: { ...diagnosis, notes: [note, ...diagnosis.notes] }, verdict: 'DRIFT' };
}

const worstOf = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce((a, b) => (VERDICTS.indexOf(b) > VERDICTS.indexOf(a) ? b : a), 'EXACT');

/** At the first position that differs, the first tensor that does. */
function firstDivergence(tensors: readonly TensorResult[]): Divergence | null {
  let first: Divergence | null = null;
  for (const { name, rows } of tensors) {
    const row = rows.find(({ ratio }) => !(ratio <= 1));
    if (row === undefined || (first !== null && first.position <= row.position)) continue;
    first = { tensor: name, position: row.position, error: row.error, budget: row.budget };
  }
  return first;
}

/** The runs that a comparison takes. */
class Work {
  readonly given: Case;
  readonly #subject: Subject;
  readonly #options: CompareOptions;

  constructor(subject: Subject, given: Case, options: CompareOptions) {
    this.#subject = subject;
    this.given = given;
    this.#options = options;
  }

  /** The truth, and what arithmetic in `type` may differ from it. */
  async measure(type: DeclaredType, samples: number, rate: number): Promise<Measured> {
    const truth = await this.#rows(this.#setup());
    const drawn = await this.#draw('budget', this.#subject, type, samples);
    return { truth, budgets: measureBudgets(truth, drawn, EPSILON[type.store], rate) };
  }

  /** The same of each operation by itself, if there are inputs of theirs. */
  async measureForced(samples: number, rate: number): Promise<readonly TensorResult[]> {
    const { observed, type } = this.given;
    if (observed.length < 2) return [];
    const force = forcing(observed);
    const truth = await this.#rows(this.#setup(), force);
    const drawn = await this.#draw('forced', this.#subject, type, samples, force);
    const budgets = measureBudgets(truth, drawn, EPSILON[type.store], rate);
    return judge(observed, truth, budgets);
  }

  async testItself(truth: Rows, budgets: Budgets): Promise<void> {
    const { grossBug: bug } = this.#options;
    const { config, tokens, observed } = this.given;
    const [variant] = bug.variants(config, tokens.length);
    const rows = await this.#rows(variant.apply(this.#setup()));
    selfTest(observed, truth, budgets, { id: bug.id, rows });
  }

  diagnose(tensors: readonly TensorResult[], { truth, budgets }: Measured): Promise<Trial[]> {
    const { config, observed, tokens } = this.given;
    const { mutants, signal, onProgress } = this.#options;
    const ratios = tensors.map(({ rows }) => rows.map(({ ratio }) => ratio));
    return diagnose({ observed, truth, budgets }, ratios, {
      config,
      mutants,
      setup: length => this.#subject.setup(tokens.slice(0, length)),
      tokens: tokens.length,
      signal,
      onProgress: (done, total) => onProgress?.('diagnosis', done, total),
    });
  }

  /** The name of the most precise type that is less so than theirs and in which all would be well. */
  async typeThatExplains(): Promise<string | undefined> {
    const { config, checkpoint, type, observed } = this.given;
    const { falseAlarmRate = FALSE_ALARM_RATE } = this.#options;
    const truth = await this.#rows(this.#setup());
    for (const name of ['f16', 'bf16', 'q8_0']) {
      const other = DECLARED_TYPES.get(name) as DeclaredType;
      if (EPSILON[other.store] <= EPSILON[type.store] && name !== 'q8_0') continue;
      if (name === type.name) continue;
      const subject = new Subject(config, checkpoint, other);
      const drawn = await this.#draw(name, subject, other, DRIFT_SAMPLES);
      const budgets = measureBudgets(truth, drawn, EPSILON[other.store], falseAlarmRate);
      const results = judge(observed, truth, budgets);
      if (results.every(({ verdict }) => conforms(verdict))) return name;
    }
    return undefined;
  }

  async #draw(
    what: string,
    subject: Subject,
    type: DeclaredType,
    samples: number,
    force?: RunOptions['force'],
  ): Promise<Rows[]> {
    const { seed = 1, onProgress } = this.#options;
    const drawn: Rows[] = [];
    for (let s = 0; s < samples; s++) {
      const setup = noisy(subject.setup(this.given.tokens), type, seed + s);
      drawn.push(await this.#rows(setup, force));
      onProgress?.(what, s + 1, samples);
    }
    return drawn;
  }

  #setup(): Setup {
    return this.#subject.setup(this.given.tokens);
  }

  async #rows(setup: Setup, force?: RunOptions['force']): Promise<Rows> {
    const { observed } = this.given;
    const { signal } = this.#options;
    const traced = await run(setup, wantedOf(observed), { signal, force });
    return observed.map((one): Floats[] => ourRows(one, traced));
  }
}

/** Puts their rows in the place of ours. */
function forcing(observed: readonly Observed[]): RunOptions['force'] {
  const byName = new Map(
    observed
      .filter(({ isNormalized }) => isNormalized !== true)
      .map(({ name, rows }) => [name, new Map(rows.map(row => [row.position, row.theirs]))]),
  );
  return (name: string, { shape, data }: Tensor, steps: readonly Step[]) => {
    const rows = byName.get(name);
    if (rows === undefined || name.endsWith('.probabilities')) return;
    const width = shape[1];
    for (const [r, { place }] of steps.entries()) {
      const theirs = place === undefined ? undefined : rows.get(place);
      if (theirs !== undefined) data.set(theirs, r * width);
    }
  };
}

/** How a number of this type in a file is told from another one. */
export const roundTo = (dtype: 'F64' | 'F32' | 'F16' | 'BF16'): ((x: number) => number) =>
  dtype === 'F64' ? x => x : ROUND[dtype.toLowerCase() as keyof typeof ROUND];
