/** What judging came to, whatever the truth was computed with. */
import type { Rows } from '../budget/budget.js';
import type { TensorResult, Verdict } from '../result.js';
import type { Diagnosis } from './findings.js';

export interface Judged {
  /** What computed the truth. */
  readonly engine: string;
  readonly verdict: Verdict;
  readonly truth: Rows;
  readonly tensors: readonly TensorResult[];
  readonly forced: readonly TensorResult[];
  readonly diagnosis: Diagnosis;
  readonly notes: readonly string[];
  /** Undefined where it is not known. */
  readonly falseAlarmRate: number | undefined;
  readonly samples: number;
}

export const NO_DIAGNOSIS: Diagnosis = { findings: [], notes: [] };
