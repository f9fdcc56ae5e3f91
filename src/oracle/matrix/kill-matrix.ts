/**
 * What a comparison can tell apart, and so what a pass means: every bug that is known here, put
 * into this model, with how far beyond the budget its logits are.
 */
import type { Floats } from '../../base/tensor.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { type Budgets, quotient, type Rows } from '../budget/budget.js';
import { Runs } from '../budget/runs.js';
import { type Evidence, filledFrom, tryRows } from '../diagnosis/suspect.js';
import type { Mutant, Variant } from '../mutants/mutant.js';
import { Subject } from '../noise/subject.js';
import type { DeclaredType } from '../noise/types.js';
import { type Observed, ourRows } from '../observed/observed.js';
import { distance } from '../observed/row-error.js';
import type { Cell, KillMatrix } from '../report/matrix.js';
import { run } from '../run/run.js';

export interface MatrixCase {
  readonly config: LlamaConfig;
  readonly checkpoint: Checkpoint;
  readonly tokens: readonly number[];
  readonly mutants: readonly Mutant[];
  /** In whose arithmetics the bugs are to be seen; the first has the top log-probabilities, too. */
  readonly types: readonly DeclaredType[];
  readonly samples: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string, done: number, total: number) => void) | undefined;
}

/** What servers tell of a position, at most. */
const TOP = 20;
/** Whose rows are kept for telling bugs apart. */
const KEPT_POSITIONS = 64;
const FALSE_ALARM_RATE = 1e-3;

/** A way to look at the logits, and what may be off there. */
interface Vector {
  readonly name: string;
  readonly truth: Rows;
  readonly budgets: Budgets;
  readonly observed: readonly Observed[];
}

export async function killMatrix(given: MatrixCase): Promise<KillMatrix> {
  const vectors = await measureVectors(given);
  const all = variantsOf(given);
  const kept: Rows[] = [];
  const cells: Cell[][] = [];
  for (const [i, { mutant, variant }] of all.entries()) {
    const reason = mutant.equivalent?.(given.config, given.tokens.length);
    const rows =
      reason === undefined
        ? filledFrom(vectors[0].truth, await logitsOf(given, variant))
        : vectors[0].truth;
    cells.push(vectors.map(vector => cellOf(vector, vectors[0].truth[0], rows[0], reason)));
    kept.push([thinned(rows[0])]);
    given.onProgress?.('mutants', i + 1, all.length);
  }
  const evidence = evidenceOf(vectors[0]);
  return {
    vectors: vectors.map(({ name }) => name),
    rows: all.map(({ mutant, variant }, i) => ({
      id: mutant.id,
      name: mutant.name,
      variant: variant.what,
      cells: cells[i],
      diagnosed: likeliest(kept[i], kept, all, evidence),
    })),
  };
}

interface OneVariant {
  readonly mutant: Mutant;
  readonly variant: Variant;
}

/** Of a bug that changes nothing here, one. */
const variantsOf = ({ mutants, config, tokens }: MatrixCase): OneVariant[] =>
  mutants.flatMap(mutant => {
    const isEquivalent = mutant.equivalent?.(config, tokens.length) !== undefined;
    const variants = isEquivalent ? [UNCHANGED] : mutant.variants(config, tokens.length);
    return variants.map(variant => ({ mutant, variant }));
  });

const UNCHANGED: Variant = { what: '', apply: setup => setup };

async function measureVectors(given: MatrixCase): Promise<Vector[]> {
  const vectors: Vector[] = [];
  for (const type of given.types) {
    vectors.push(await measureVector(`logits, ${type.name}`, type, allLogits(given), given));
    if (vectors.length > 1) continue;
    const best = topOf(vectors[0].truth[0]);
    vectors.push(await measureVector(`top ${TOP}, ${type.name}`, type, best, given));
  }
  return vectors;
}

async function measureVector(
  name: string,
  type: DeclaredType,
  observed: readonly Observed[],
  { config, checkpoint, tokens, samples, signal, onProgress }: MatrixCase,
): Promise<Vector> {
  const subject = new Subject(config, checkpoint, type);
  const runs = new Runs(subject, { tokens, observed }, signal);
  const measured = await runs.measure({
    type,
    samples,
    falseAlarmRate: FALSE_ALARM_RATE,
    seed: 1,
    onProgress: (done, total) => onProgress?.(name, done, total),
  });
  return { name, observed, ...measured };
}

const NOTHING = new Float64Array(0);

const allLogits = ({ tokens }: MatrixCase): Observed[] => [
  {
    name: 'lm_head',
    rows: tokens.map((_, position) => ({ position, theirs: NOTHING })),
    round: x => x,
  },
];

/** The log-probabilities of the likeliest tokens of each row. */
function topOf(rows: readonly Floats[]): Observed[] {
  const top = rows.map((row, position) => {
    const columns = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, TOP);
    return { position, theirs: NOTHING, columns };
  });
  return [{ name: 'lm_head', rows: top, isNormalized: true, round: x => x }];
}

/** Of every position; rows that a bug does not give are NaN. */
async function logitsOf(given: MatrixCase, variant: Variant): Promise<Rows> {
  const { config, checkpoint, tokens, types, signal } = given;
  const subject = new Subject(config, checkpoint, types[0]);
  const observed = allLogits(given);
  const wanted = new Map([['lm_head', [...tokens.keys()]]]);
  const traced = await run(variant.apply(subject.setup(tokens)), wanted, { signal });
  return observed.map(one => ourRows(one, traced));
}

/**
 * By how much the bug changes the rows, in the budgets of the vector. `plain` are the rows without
 * it; a vector of another type has other weights, on which the same change is put.
 */
function cellOf(
  { observed, truth, budgets }: Vector,
  plain: readonly Floats[],
  rows: readonly Floats[],
  equivalent?: string,
): Cell {
  if (equivalent !== undefined) return { equivalent };
  const isShifted = observed[0].isNormalized !== true;
  const shifted = isShifted
    ? rows.map((row, r) => row.map((x, i) => x - plain[r][i] + truth[0][r][i]))
    : rows;
  const theirs = ourRows(observed[0], new Map([['lm_head', asTensor(shifted)]]));
  let most = 0;
  for (const [r, row] of theirs.entries()) {
    const { rms, largest } = distance(row, truth[0][r]);
    const budget = budgets[0][r];
    most = Math.max(most, quotient(rms, budget.rms), quotient(largest, budget.largest));
  }
  return { ratio: Number.isNaN(most) ? Infinity : most };
}

function asTensor(rows: readonly Floats[]) {
  const width = rows[0].length;
  const data = new Float64Array(rows.length * width);
  for (const [r, row] of rows.entries()) data.set(row, r * width);
  return { shape: [rows.length, width], data };
}

/** The rows of so many positions, spread over all. */
function thinned<T>(rows: readonly T[]): T[] {
  const count = Math.min(KEPT_POSITIONS, rows.length);
  const step = (rows.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, i) => rows[Math.round(i * step)]);
}

function evidenceOf({ observed, truth, budgets }: Vector): Evidence {
  const [one] = observed;
  return {
    observed: [{ ...one, rows: thinned(one.rows) }],
    truth: [thinned(truth[0])],
    budgets: [thinned(budgets[0])],
  };
}

/** The id of the bug that explains these rows best, the first of those that are alike. */
function likeliest(
  own: Rows,
  kept: readonly Rows[],
  all: readonly OneVariant[],
  { observed, truth, budgets }: Evidence,
): string | undefined {
  const rows = observed[0].rows.map((row, r) => ({ ...row, theirs: own[0][r] }));
  const evidence = { observed: [{ ...observed[0], rows }], truth, budgets };
  let best: { id: string; explains: number } | undefined;
  for (const [i, one] of all.entries()) {
    const { explains } = tryRows({ parts: [one] }, kept[i], evidence);
    if (best === undefined || explains > best.explains) best = { id: one.mutant.id, explains };
  }
  return best !== undefined && best.explains > 0 ? best.id : undefined;
}
