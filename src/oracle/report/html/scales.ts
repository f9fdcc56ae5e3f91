/** Logarithmic axes: from a number to a part of the axis, and the numbers that are marked. */
import { groupDigits } from '../../../base/table.js';

export interface Mark {
  /** 0 where the axis begins, 1 where it ends. */
  readonly at: number;
  readonly label: string;
}

export interface Scale {
  place(x: number): number;
  readonly marks: readonly Mark[];
}

/** Marks nearer to each other than this part of the axis would overlap. */
const CLOSEST = 0.1;

/** Positions from `first` to `last`, by log(position + 1), so that 0 has a place too. */
export function positionScale(first: number, last: number): Scale {
  const [low, high] = [Math.log1p(first), Math.log1p(last)];
  const place = (position: number) =>
    high === low ? 0 : (Math.log1p(position) - low) / (high - low);
  const powers = Array.from({ length: 16 }, (_, i) => 10 ** i).filter(x => x > first && x < last);
  const between = powers.filter(x => place(x) > CLOSEST && place(x) < 1 - CLOSEST);
  const marked = [...new Set([first, ...between, last])];
  return { place, marks: marked.map(x => ({ at: place(x), label: groupDigits(x) })) };
}

/** With more, decades are skipped. */
const MOST_DECADES = 6;

/** Errors in whole decades. What is 0, or not finite, has an end of the axis for itself. */
export function errorScale(errors: readonly number[]): Scale {
  const decades = errors.filter(x => x > 0 && Number.isFinite(x)).map(Math.log10);
  const known = decades.length === 0 ? [0] : decades;
  const hasZero = errors.includes(0);
  const hasNone = errors.some(x => !Number.isFinite(x));
  const [first, most] = [Math.floor(known.reduce(smaller)), Math.ceil(known.reduce(larger))];
  const last = Math.max(most, first + 1);
  const [low, high] = [hasZero ? first - 1 : first, hasNone ? last + 1 : last];
  const place = (x: number) => {
    if (x === 0) return 0;
    return Number.isFinite(x) ? (Math.log10(x) - low) / (high - low) : 1;
  };
  const step = Math.ceil((last - first) / MOST_DECADES);
  const powers = Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => i * step);
  const marks = powers.map(i => ({ at: place(10 ** (first + i)), label: tenTo(first + i) }));
  return {
    place,
    marks: [
      ...(hasZero ? [{ at: 0, label: '0' }] : []),
      ...marks,
      ...(hasNone ? [{ at: 1, label: '∞, NaN' }] : []),
    ],
  };
}

const smaller = (a: number, b: number) => Math.min(a, b);
const larger = (a: number, b: number) => Math.max(a, b);

/** 10⁻⁷ */
const tenTo = (power: number): string =>
  `10${String(power).replace(/./g, sign => (sign === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(sign)]))}`;
