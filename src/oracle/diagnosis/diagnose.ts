/**
 * Which bug gives what they have: every mutant is computed for this model and this text, and
 * compared with theirs.
 *
 * A bug shows its whole face in the first rows that differ, and what comes later cannot change
 * them. So all are tried on the beginning of the text first, up to where a few rows differ, and the
 * likeliest on all of it. Where one bug is not enough, it is tried with each of the others.
 */
import { sum } from '../../base/sum.js';
import { elementCount, type Floats } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { weightsOf } from '../../model/weights.js';
import type { Rows } from '../budget/budget.js';
import type { Mutant } from '../mutants/mutant.js';
import { type Observed, ourRows, wantedOf } from '../observed/observed.js';
import { run } from '../run/run.js';
import type { Setup } from '../run/setup.js';
import { type Evidence, filledFrom, type Suspect, type Trial, tryRows } from './suspect.js';
import { untilPosition } from './until-position.js';

export interface DiagnosisOptions {
  readonly config: LlamaConfig;
  readonly mutants: readonly Mutant[];
  /** The model and so many tokens of the text. */
  readonly setup: (tokens: number) => Setup;
  /** How many tokens the text has. */
  readonly tokens: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Rows that must differ before a part of the text is enough. */
const ENOUGH_ROWS = 3;
/** Products that are too few to be spared: some 10 ms. */
const ENOUGH_PRODUCTS = 1e7;
/** Tried on the whole text. */
const FINALISTS = 8;
/** Whoever explains less on the beginning is out. */
const LEAST = 0.2;
/** From here on a bug is named. */
export const NAMED = 0.99;
/** Of the budget: what is left of a difference that is explained. A bug has its own roundings. */
export const COMPLETE = 4;

/** All that were tried on the whole text, the best first. */
export async function diagnose(
  evidence: Evidence,
  ratios: readonly (readonly number[])[],
  options: DiagnosisOptions,
): Promise<Trial[]> {
  const suspects = suspectsOf(options);
  const end = firstPart(evidence.observed, ratios, options);
  const progress = counter(suspects.length, options);
  const beginning = untilPosition(evidence, end);
  const trials: Trial[] = [];
  for (const suspect of suspects) {
    const length = suspect.parts[0].mutant.needsWholeText ? options.tokens : end;
    const part = length === end ? beginning : evidence;
    trials.push(await attempt(suspect, part, length, options));
    progress();
  }
  const finalists = best(trials)
    .filter(({ explains }) => explains > LEAST)
    .slice(0, FINALISTS);
  const whole = await attemptAll(finalists, evidence, options);
  if (whole.length === 0 || whole[0].left <= COMPLETE) return whole;
  const pairs = await attemptPairs(whole[0], suspects, beginning, end, evidence, options);
  return best([...whole, ...pairs]);
}

function suspectsOf({ config, mutants, tokens }: DiagnosisOptions): Suspect[] {
  return mutants
    .filter(mutant => mutant.equivalent?.(config, tokens) === undefined)
    .flatMap(mutant =>
      mutant.variants(config, tokens).map(variant => ({ parts: [{ mutant, variant }] })),
    );
}

/** So many tokens that a few of the rows that differ are among them. */
function firstPart(
  observed: readonly Observed[],
  ratios: readonly (readonly number[])[],
  { config, tokens }: DiagnosisOptions,
): number {
  const different = new Set<number>();
  for (const [t, { rows }] of observed.entries())
    for (const [r, { position }] of rows.entries()) if (ratios[t][r] > 1) different.add(position);
  const positions = [...different].sort((a, b) => a - b);
  const last = positions[Math.min(ENOUGH_ROWS, positions.length) - 1] ?? tokens - 1;
  const cheap = Math.floor(ENOUGH_PRODUCTS / productsOfToken(config));
  return Math.min(tokens, Math.max(cheap, last + 1));
}

/** Of all matrices with one row. */
const productsOfToken = (config: LlamaConfig): number =>
  sum(weightsOf(config).map(({ shape }) => (shape.length === 2 ? elementCount(shape) : 0)));

async function attempt(
  suspect: Suspect,
  evidence: Evidence,
  tokens: number,
  { setup, signal }: DiagnosisOptions,
): Promise<Trial> {
  const mutated = suspect.parts.reduce((from, { variant }) => variant.apply(from), setup(tokens));
  const traced = await run(mutated, wantedOf(evidence.observed), { signal });
  const rows: Rows = evidence.observed.map((one): Floats[] => ourRows(one, traced));
  return tryRows(suspect, filledFrom(evidence.truth, rows), evidence);
}

async function attemptAll(
  suspects: readonly Suspect[],
  evidence: Evidence,
  options: DiagnosisOptions,
): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const suspect of suspects)
    trials.push(await attempt(suspect, evidence, options.tokens, options));
  return best(trials);
}

/** The best with each of the others, if that leaves far less; on the whole text. */
async function attemptPairs(
  first: Trial,
  suspects: readonly Suspect[],
  beginning: Evidence,
  end: number,
  evidence: Evidence,
  options: DiagnosisOptions,
): Promise<Trial[]> {
  const own = first.parts[0].mutant.id;
  const others = suspects.filter(({ parts }) => parts[0].mutant.id !== own);
  const progress = counter(others.length, options);
  const trials: Trial[] = [];
  for (const { parts } of others) {
    const pair = { parts: inOrder([...first.parts, ...parts], options.mutants) };
    trials.push(await attempt(pair, beginning, end, options));
    progress();
  }
  const alone = 1 - first.explains;
  const better = best(trials).filter(({ explains }) => 1 - explains < alone / 4);
  return attemptAll(better.slice(0, 2), evidence, options);
}

/** As in the list of mutants, where those come first that make room for others. */
const inOrder = (parts: Suspect['parts'], mutants: readonly Mutant[]): Suspect['parts'] =>
  [...parts].sort((a, b) => mutants.indexOf(a.mutant) - mutants.indexOf(b.mutant));

const best = (trials: readonly Trial[]): Trial[] =>
  [...trials].sort((a, b) => b.explains - a.explains);

function counter(total: number, { onProgress }: DiagnosisOptions): () => void {
  let done = 0;
  return () => onProgress?.(++done, total);
}
