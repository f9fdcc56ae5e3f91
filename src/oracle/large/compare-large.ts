/**
 * The comparison where float64 would take minutes a token: the truth is the WASM engine's, budgets
 * are wide (`sensitivity.ts`), and only bugs of the configuration are looked for, each by loading
 * the model with it.
 */
import type { LlamaConfig } from '../../model/config.js';
import type { Case, CompareOptions } from '../case.js';
import { toDiagnosis } from '../diagnosis/findings.js';
import { type Judged, NO_DIAGNOSIS } from '../diagnosis/judged.js';
import { type Evidence, type Suspect, type Trial, tryRows } from '../diagnosis/suspect.js';
import { untilPosition } from '../diagnosis/until-position.js';
import { Subject } from '../noise/subject.js';
import type { TensorResult } from '../result.js';
import { judge } from '../verdict/judge.js';
import { selfTest } from '../verdict/self-test.js';
import { worstOf } from '../verdict/worst-of.js';
import { EngineRuns } from './engine-runs.js';
import { budgetsOf, measureResponses } from './sensitivity.js';

/** After that no more bugs are tried. */
const MOST_SECONDS = 60;
/** Tokens of the beginning that bugs are tried on, or as many as have a row that differs. */
const TRIED_TOKENS = 64;

export async function compareLarge(
  given: Case,
  { mutants, signal, onProgress }: CompareOptions,
): Promise<Judged> {
  const { config, checkpoint, type, tokens, observed } = given;
  const runs = new EngineRuns(checkpoint, type, signal);
  const truth = await runs.rows(config, tokens, observed);
  const { name } = runs;
  onProgress?.('engine', 1, 3);
  const responses = await measureResponses(runs, config, tokens, observed);
  onProgress?.('engine', 3, 3);
  const budgets = budgetsOf(truth, responses, type);
  const tensors = judge(observed, truth, budgets);
  selfTest(observed, truth, budgets);
  const isWrong = tensors.some(({ verdict }) => verdict === 'WRONG');
  const suspects = isWrong ? suspectsOf(given, mutants) : [];
  const part = untilPosition({ observed, truth, budgets }, firstPart(tensors, tokens.length));
  const trials = await tryAll(suspects, part, runs, given, onProgress);
  const notes = [
    `the model is too large for float64 here: the truth is ${name}’s, and the budget is what ` +
      'honest arithmetic made of four smaller models, by how this one responds to rounded keys ' +
      'and values; it is wide, and no rate of false alarms is known',
  ];
  if (isWrong)
    notes.push(
      `${trials.length} of ${suspects.length} bugs of the configuration were tried; the others ` +
        'need a smaller model, or --truth exact',
    );
  const diagnosis = isWrong ? toDiagnosis(trials, part) : NO_DIAGNOSIS;
  return {
    engine: name,
    verdict: worstOf(tensors.map(({ verdict }) => verdict)),
    truth,
    tensors,
    forced: [],
    diagnosis,
    notes,
    falseAlarmRate: undefined,
    samples: 0,
  };
}

interface ConfigSuspect extends Suspect {
  readonly config: LlamaConfig;
}

/** Those that change the configuration and nothing else. */
function suspectsOf(
  { config, checkpoint, type, tokens }: Case,
  mutants: CompareOptions['mutants'],
): ConfigSuspect[] {
  const plain = new Subject(config, checkpoint, type).setup(tokens.slice(0, 2));
  return mutants
    .filter(mutant => mutant.equivalent?.(config, tokens.length) === undefined)
    .flatMap(mutant =>
      mutant.variants(config, tokens.length).flatMap(variant => {
        const { config: changed, ...rest } = variant.apply(plain);
        const isSame = (Object.keys(rest) as (keyof typeof rest)[]).every(
          part => rest[part] === plain[part],
        );
        return isSame && changed !== config
          ? [{ parts: [{ mutant, variant }], config: changed }]
          : [];
      }),
    );
}

/** So many tokens that one of the rows that differ is among them. */
function firstPart(tensors: readonly TensorResult[], tokens: number): number {
  const different = tensors.flatMap(({ rows }) => rows.filter(({ ratio }) => ratio > 1));
  const first = Math.min(...different.map(({ position }) => position));
  return Math.min(tokens, Math.max(TRIED_TOKENS, first + 1));
}

async function tryAll(
  suspects: readonly ConfigSuspect[],
  evidence: Evidence,
  runs: EngineRuns,
  { tokens }: Case,
  onProgress: CompareOptions['onProgress'],
): Promise<Trial[]> {
  const positions = evidence.observed.flatMap(({ rows }) => rows.map(({ position }) => position));
  const needed = tokens.slice(0, Math.max(...positions) + 1);
  const began = performance.now();
  const trials: Trial[] = [];
  for (const [i, suspect] of suspects.entries()) {
    if (performance.now() - began > MOST_SECONDS * 1000) break;
    const rows = await runs.rows(suspect.config, needed, evidence.observed);
    trials.push(tryRows(suspect, rows, evidence));
    onProgress?.('diagnosis', i + 1, suspects.length);
  }
  return trials.sort((a, b) => b.explains - a.explains);
}
