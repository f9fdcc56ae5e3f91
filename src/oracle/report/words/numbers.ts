/** Numbers as people read them; `json.ts` has them as programs do. */
import { groupDigits } from '../../../base/table.js';

/** Beyond this, digits are counted rather than read. */
const MANY = 1e7;

/**
 * error / budget with two digits: 0.43, 4,300. What is above 1 does not look like 1, and neither
 * does what is below.
 */
export function showRatio(ratio: number): string {
  if (Number.isNaN(ratio)) return 'NaN';
  if (!Number.isFinite(ratio)) return '∞';
  if (ratio < 0.01) return ratio === 0 ? '0' : '<0.01';
  const rounded = Number(ratio.toPrecision(2));
  if (rounded === 1 && ratio !== 1) return nearOne(ratio);
  return rounded < MANY ? groupDigits(rounded) : rounded.toExponential();
}

function nearOne(ratio: number): string {
  const digits = [3, 4, 5].find(digits => Number(ratio.toPrecision(digits)) !== 1);
  if (digits !== undefined) return ratio.toPrecision(digits);
  return ratio < 1 ? '0.9999' : '1.0001';
}

/** An error, a budget or a norm: of these the magnitude is what counts. */
export function showSize(size: number): string {
  if (Number.isNaN(size)) return 'NaN';
  if (!Number.isFinite(size)) return '∞';
  if (size === 0) return '0';
  return size >= 0.01 && size < 1000 ? String(Number(size.toPrecision(3))) : size.toExponential(1);
}

/** Two numbers with so many digits that one sees what differs, and two more. */
export function sideBySide(a: number, b: number): [string, string] {
  const isSame = (digits: number) => a.toPrecision(digits) === b.toPrecision(digits);
  let digits = 6;
  // rounding may tell two numbers apart that are the same with more digits
  while (digits < 17 && (isSame(digits - 2) || isSame(digits))) digits++;
  return [a.toPrecision(digits), b.toPrecision(digits)];
}

/** A part of 1 as a percentage that says 100 only if it is all. */
export function showPart(part: number): string {
  if (part >= 1) return '100 %';
  const percent = 100 * part;
  if (percent > 99.9999) return 'over 99.9999 %';
  return `${Number(percent.toFixed(percent > 99.9 ? 4 : 1))} %`;
}

/** "1 position", "1,234 positions". */
export const count = (n: number, what: string): string =>
  `${groupDigits(n)} ${what}${n === 1 ? '' : 's'}`;

export function showSeconds(seconds: number): string {
  return seconds < 100 ? `${Number(seconds.toPrecision(2))} s` : `${Math.round(seconds / 60)} min`;
}
