/** From bugs that were tried to what is said of them. */
import { quotient } from '../budget/budget.js';
import { distance } from '../observed/row-error.js';
import type { Finding } from '../result.js';
import { COMPLETE, NAMED } from './diagnose.js';
import { type Evidence, idOf, type Trial } from './suspect.js';

export interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/** A bug that explains less is not worth a word. */
const WORTH_TELLING = 0.05;
/** Bugs that are told of, at most. */
const TOLD = 4;

/** `trials` from the best to the worst. */
export function toDiagnosis(trials: readonly Trial[], evidence: Evidence): Diagnosis {
  const named = trials.filter(({ explains }) => explains >= NAMED);
  if (named.length === 0) return { findings: [], notes: unknown(trials[0]) };
  const complete = named.filter(({ left }) => left <= COMPLETE);
  const told = (complete.length > 0 ? complete : named).slice(0, TOLD);
  const findings = told.map(trial => toFinding(trial, told, evidence));
  return { findings, notes: notesOn(findings[0], complete.length > 0) };
}

/** Reports say themselves that it is unknown. */
function unknown(nearest: Trial | undefined): string[] {
  if (nearest === undefined || nearest.explains < WORTH_TELLING) return [];
  const part = percent(nearest.explains);
  return [`the nearest, ${idOf(nearest)}, would explain ${part} of the squared difference`];
}

function notesOn({ id, indistinguishableFrom }: Finding, isComplete: boolean): string[] {
  const notes: string[] = [];
  if (!isComplete)
    notes.push(`${id} leaves more than honest arithmetic: something else is different, too`);
  if (indistinguishableFrom.length > 0) {
    const others = indistinguishableFrom.join(', ');
    notes.push(
      `${id} and ${others} give the same numbers here; more tensors or a longer text would tell`,
    );
  }
  return notes;
}

function toFinding(trial: Trial, told: readonly Trial[], evidence: Evidence): Finding {
  const { parts, explains, left } = trial;
  const mutants = parts.map(({ mutant }) => mutant);
  const alike = told.filter(other => other !== trial && isAlike(trial, other, evidence));
  return {
    id: idOf(trial),
    name: mutants.map(({ name }) => name).join(' and '),
    variant: parts
      .map(({ variant }) => variant.what)
      .filter(Boolean)
      .join(' and '),
    explains,
    isComplete: left <= COMPLETE,
    evidence: evidenceOf(trial, evidence),
    fix: mutants.map(({ fix }) => fix).join(' '),
    references: mutants.flatMap(({ references }) => references),
    indistinguishableFrom: [...new Set(alike.map(idOf))].filter(id => id !== idOf(trial)),
    curve: curveOf(trial, evidence),
  };
}

/** Whether two bugs are nearer to each other than the budget is wide. */
function isAlike(a: Trial, b: Trial, { budgets }: Evidence): boolean {
  return a.rows.every((rows, t) =>
    rows.every((row, r) => quotient(distance(row, b.rows[t][r]).rms, budgets[t][r].rms) <= 1),
  );
}

/** Of the last tensor that was observed, which is that of the logits if they are there. */
function curveOf({ rows }: Trial, { observed, truth }: Evidence): Finding['curve'] {
  const t = observed.length - 1;
  return observed[t].rows.map(({ position }, r) => ({
    position,
    error: distance(rows[t][r], truth[t][r]).rms,
  }));
}

function evidenceOf({ rows }: Trial, { observed, truth }: Evidence): string {
  const t = observed.length - 1;
  const { name, rows: theirs } = observed[t];
  const differences = theirs.map(({ theirs: row }, r) => distance(row, truth[t][r]).rms);
  const r = differences.indexOf(Math.max(...differences));
  const rest = distance(theirs[r].theirs, rows[t][r]).rms;
  return (
    `at position ${theirs[r].position} ${name} is ${show(differences[r])} off, and ` +
    `${show(rest)} off what this bug gives`
  );
}

const show = (x: number): string => x.toPrecision(2).replace(/\.?0+(e|$)/, '$1');

/** As many nines as there are. */
const percent = (part: number): string =>
  part > 0.999999 ? '100 %' : `${(100 * part).toFixed(part > 0.99 ? 4 : 1)} %`;
