/** What a comparison came to: the one value that verbs print and reports draw. */

/**
 * - EXACT: every number is ours, rounded to the type that it is stored in.
 * - WITHIN_BUDGET: no farther away than honest arithmetic in the declared type gets.
 * - TIE_FLIP: within the budget, and another token is the likeliest where the two best are closer
 *   to each other than the budget is wide.
 * - DRIFT: beyond the budget, and all of it within that of a less precise type.
 * - WRONG: beyond what any honest arithmetic explains.
 * - INVALID: NaN, infinite, constant where the truth is not.
 */
export type Verdict = 'EXACT' | 'WITHIN_BUDGET' | 'TIE_FLIP' | 'DRIFT' | 'WRONG' | 'INVALID';

/** Verdicts from the best to the worst; the worst of several is that of all. */
export const VERDICTS: readonly Verdict[] = [
  'EXACT',
  'WITHIN_BUDGET',
  'TIE_FLIP',
  'DRIFT',
  'WRONG',
  'INVALID',
];

/** Whether whoever has this verdict computes this model. */
export const conforms = (verdict: Verdict): boolean =>
  verdict === 'EXACT' || verdict === 'WITHIN_BUDGET' || verdict === 'TIE_FLIP';

/** The number of a tensor that is farthest beyond its budget. */
export interface WorstNumber {
  /** The position of the text. */
  readonly row: number;
  readonly column: number;
  readonly ours: number;
  readonly theirs: number;
}

/** Of one row of a tensor: how far it is away, and how far it may be. */
export interface RowError {
  readonly position: number;
  /** The root mean square of the differences. */
  readonly error: number;
  readonly budget: number;
  /** The larger of error / budget and the same of the largest difference. */
  readonly ratio: number;
}

/** One tensor of theirs, judged. */
export interface TensorResult {
  /** By `src/model/trace.ts`. */
  readonly name: string;
  readonly verdict: Verdict;
  /** error / budget where that is largest; up to 1 conforms. */
  readonly maxRatio: number;
  readonly worst: WorstNumber;
  /** ‖theirs − ours‖ / ‖ours‖ */
  readonly relL2: number;
  /** ‖theirs‖ / ‖ours‖ */
  readonly normRatio: number;
  readonly rows: readonly RowError[];
}

/** Where theirs first differ by more than honest arithmetic does. */
export interface Divergence {
  readonly tensor: string;
  readonly position: number;
  readonly error: number;
  readonly budget: number;
}

/** A bug that would give what they have. */
export interface Finding {
  /** `place.what`: never changes once it is published. */
  readonly id: string;
  readonly name: string;
  /** Which of the forms that this bug has, such as "θ = 1,000,000"; empty if it has one. */
  readonly variant: string;
  /** The part of the squared difference that it accounts for, 1 being all. */
  readonly explains: number;
  /** Whether what is left of the difference is within the budget. */
  readonly isComplete: boolean;
  /** What was seen, in a sentence. */
  readonly evidence: string;
  readonly fix: string;
  readonly references: readonly string[];
  /** Ids of those that explain what was given as well. */
  readonly indistinguishableFrom: readonly string[];
  /** The bug's own curve, of the last tensor: that of the logits, if they are there. */
  readonly curve: readonly { readonly position: number; readonly error: number }[];
}

/** What a comparison came to. */
export interface Comparison {
  readonly verdict: Verdict;
  /** What computed the truth, such as `exact-f64`. */
  readonly engine: string;
  /** The declared type of theirs. */
  readonly type: string;
  readonly model: string;
  readonly tokens: number;
  readonly firstDivergence: Divergence | null;
  /** Computed from the tokens alone. */
  readonly tensors: readonly TensorResult[];
  /** Each computed from their own inputs; empty if they gave no intermediate tensors. */
  readonly forced: readonly TensorResult[];
  readonly diagnosis: readonly Finding[];
  /** Why there is no diagnosis, or what would tell those found apart; empty otherwise. */
  readonly diagnosisNotes: readonly string[];
  /** Positions at which another token is the likeliest, with both tokens and the truth's margin. */
  readonly flips: readonly {
    readonly position: number;
    readonly ours: number;
    readonly theirs: number;
    readonly margin: number;
  }[];
  /** What they did not give, and what else is to be known. */
  readonly notes: readonly string[];
  /** How often an honest engine is refused, for a whole comparison; undefined if nobody knows. */
  readonly falseAlarmRate: number | undefined;
  /** Honest arithmetics that the budget was made of; none for a large model. */
  readonly samples: number;
  readonly seconds: number;
}
