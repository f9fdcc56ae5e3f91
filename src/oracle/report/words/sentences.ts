/** What every form of the report says in the same words. */
import { groupDigits } from '../../../base/table.js';
import {
  type Comparison,
  conforms,
  type Finding,
  type TensorResult,
  type Verdict,
} from '../../result.js';
import { count, showPart, showRatio, showSeconds } from './numbers.js';
import { divergedTensor, isBeyond, spoken, worstTensor } from './tensors.js';

/** What it came to, in a line for who reads no other. */
export const headline = (comparison: Comparison): string =>
  `${comparison.verdict}: ${verdictSentence(comparison)}`;

export function verdictSentence(comparison: Comparison): string {
  return SENTENCES[comparison.verdict](comparison);
}

const SENTENCES: Readonly<Record<Verdict, (comparison: Comparison) => string>> = {
  EXACT: ({ type }) => `every number is the truth, rounded to ${type}`,
  WITHIN_BUDGET: comparison =>
    `conforms; nowhere farther from the truth than honest ${comparison.type} arithmetic ` +
    `gets${atMost(comparison)}`,
  TIE_FLIP: ({ type, flips }) =>
    `conforms; at ${count(flips.length, 'position')} another token is the likeliest, but the two ` +
    `best are closer there than ${type} arithmetic can tell`,
  DRIFT: comparison =>
    `${difference(comparison)}, and no farther than arithmetic in a less precise type gets`,
  WRONG: difference,
  INVALID: ({ tensors, forced }) =>
    noResult([...tensors, ...forced].find(({ verdict }) => verdict === 'INVALID')),
};

function atMost({ tensors }: Comparison): string {
  const worst = worstTensor(tensors);
  if (worst === undefined) return '';
  return ` (${showRatio(worst.maxRatio)} of its budget at most, in ${spoken(worst.name)})`;
}

function difference(comparison: Comparison): string {
  const { firstDivergence, type } = comparison;
  const what = `what ${type} arithmetic can do`;
  const diverged = divergedTensor(comparison);
  if (firstDivergence === null || diverged === undefined) return `differs beyond ${what}`;
  const { tensor, position } = firstDivergence;
  return (
    `differs from ${spoken(tensor)} at position ${groupDigits(position)} on, ` +
    `${timesBeyond(diverged.maxRatio)} ${what}`
  );
}

const timesBeyond = (ratio: number): string =>
  Number.isFinite(ratio) ? `up to ${showRatio(ratio)} times beyond` : 'infinitely far beyond';

function noResult(tensor: TensorResult | undefined): string {
  if (tensor === undefined) return 'numbers that are not finite, or all the same: no result at all';
  const { name, worst } = tensor;
  const { row, column, theirs } = worst;
  const what = Number.isFinite(theirs)
    ? `the same number everywhere in ${spoken(name)}`
    : `${theirs} in ${spoken(name)} at position ${groupDigits(row)}, number ${groupDigits(column)}`;
  return `${what}: no result at all`;
}

/** At how many positions of the tensor they are too far away. */
export function howManyBeyond({ rows }: TensorResult): string {
  const beyond = rows.filter(({ ratio }) => isBeyond(ratio)).length;
  return `${groupDigits(beyond)} of ${count(rows.length, 'position')} beyond the budget`;
}

/** A finding's name and form. */
export const titleOf = ({ name, variant }: Finding): string =>
  variant === '' ? name : `${name} (${variant})`;

/** How much of what was seen a finding accounts for. */
export function howMuch({ explains, isComplete }: Finding): string {
  const rest = isComplete
    ? 'what is left is within the budget'
    : 'what is left is beyond the budget: something else is wrong, too';
  return `explains ${showPart(explains)} of the squared difference; ${rest}`;
}

/** For a comparison that does not conform and has no finding. */
export const UNKNOWN = 'unknown: no bug known here would give these numbers';

/** Whether a reason is due, and there is none. */
export const isUnexplained = ({ verdict, diagnosis }: Comparison): boolean =>
  !conforms(verdict) && diagnosis.length === 0;

/** What the budget is and what it is worth. */
export function budgetSentence(comparison: Comparison): string {
  const { samples, type, engine, falseAlarmRate } = comparison;
  if (falseAlarmRate === undefined) return `The truth is computed by ${engine}.`;
  return (
    `The truth is computed by ${engine}; the budget is how far ${count(samples, 'sample')} of ` +
    `honest ${type} arithmetic came from it. An honest engine is refused once in ` +
    `${groupDigits(Math.round(1 / falseAlarmRate))} comparisons.`
  );
}

export const whatWasCompared = ({ tokens, model, seconds }: Comparison): string =>
  `${count(tokens, 'token')} of ${model}, in ${showSeconds(seconds)}.`;
