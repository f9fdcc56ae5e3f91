/**
 * The report for programs, whose fields are a contract: they may get company, and stay what they
 * are.
 *
 * JSON has no number that is not finite, and null would be "not there": these are the texts "NaN",
 * "Infinity" and "-Infinity".
 */
import type { Comparison, Finding, TensorResult, Verdict } from '../result.js';

/** A number; one that JSON has no form for is its name. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

/** A tensor of theirs, judged. */
export interface TensorJson {
  readonly name: string;
  readonly verdict: Verdict;
  readonly maxRatio: JsonNumber;
  readonly worst: {
    readonly row: number;
    readonly column: number;
    readonly ours: JsonNumber;
    readonly theirs: JsonNumber;
  };
  readonly relL2: JsonNumber;
  readonly normRatio: JsonNumber;
}

/** A bug that would give what they have. */
export interface FindingJson {
  readonly id: string;
  readonly name: string;
  readonly variant: string;
  readonly explains: JsonNumber;
  readonly evidence: string;
  readonly fix: string;
  readonly references: readonly string[];
  readonly indistinguishableFrom: readonly string[];
}

/** A comparison for programs: the contract of docs/oracle.md. */
export interface ReportJson {
  readonly verdict: Verdict;
  readonly engine: string;
  readonly type: string;
  readonly model: string;
  readonly tokens: number;
  readonly firstDivergence: {
    readonly tensor: string;
    readonly position: number;
    readonly error: JsonNumber;
    readonly budget: JsonNumber;
  } | null;
  readonly tensors: readonly TensorJson[];
  readonly forced: readonly TensorJson[];
  readonly diagnosis: readonly FindingJson[];
  readonly flips: readonly {
    readonly position: number;
    readonly ours: number;
    readonly theirs: number;
    readonly margin: JsonNumber;
  }[];
  /** Those about the diagnosis last. */
  readonly notes: readonly string[];
  /** null where nobody knows it. */
  readonly falseAlarmRate: JsonNumber | null;
  readonly samples: number;
  readonly seconds: JsonNumber;
}

/** A number as JSON can have it. */
export const jsonNumber = (x: number): JsonNumber =>
  Number.isFinite(x) ? x : (String(x) as JsonNumber);

/** What `JSON.stringify` writes as the report, nothing of it being lost. */
export function toReportJson(comparison: Comparison): ReportJson {
  const { verdict, engine, type, model, tokens, firstDivergence } = comparison;
  const { samples, seconds, falseAlarmRate, notes, diagnosisNotes } = comparison;
  return {
    ...{ verdict, engine, type, model, tokens },
    firstDivergence: firstDivergence && {
      ...firstDivergence,
      error: jsonNumber(firstDivergence.error),
      budget: jsonNumber(firstDivergence.budget),
    },
    tensors: comparison.tensors.map(tensorJson),
    forced: comparison.forced.map(tensorJson),
    diagnosis: comparison.diagnosis.map(findingJson),
    flips: comparison.flips.map(flip => ({ ...flip, margin: jsonNumber(flip.margin) })),
    notes: [...notes, ...diagnosisNotes],
    falseAlarmRate: falseAlarmRate === undefined ? null : jsonNumber(falseAlarmRate),
    samples,
    seconds: jsonNumber(seconds),
  };
}

function findingJson(finding: Finding): FindingJson {
  const { id, name, variant, explains, evidence, fix, references } = finding;
  const { indistinguishableFrom } = finding;
  return {
    ...{ id, name, variant, explains: jsonNumber(explains), evidence, fix, references },
    indistinguishableFrom,
  };
}

function tensorJson({
  name,
  verdict,
  maxRatio,
  worst,
  relL2,
  normRatio,
}: TensorResult): TensorJson {
  const { row, column, ours, theirs } = worst;
  return {
    name,
    verdict,
    maxRatio: jsonNumber(maxRatio),
    worst: { row, column, ours: jsonNumber(ours), theirs: jsonNumber(theirs) },
    relL2: jsonNumber(relL2),
    normRatio: jsonNumber(normRatio),
  };
}
