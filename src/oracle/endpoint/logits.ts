/** Rows of logits, checked and in one tensor. */
import { check, LlamaError, show } from '../../base/errors.js';
import type { Tensor } from '../../base/tensor.js';

/**
 * [P, V] of `rows`.
 * @param source what gave them, for messages
 * @throws {LlamaError} ENDPOINT_FAILED if they are not `count` rows of one length
 */
export function logitsTensor(
  rows: readonly ArrayLike<number>[],
  count: number,
  source: string,
): Tensor {
  const width = rows[0]?.length ?? 0;
  check(rows.length === count && width > 0, 'ENDPOINT_FAILED', () => {
    return `${source} gave ${rows.length} rows of logits for ${count} positions; give one for each`;
  });
  const data = new Float64Array(count * width);
  for (const [i, row] of rows.entries()) {
    check(row.length === width, 'ENDPOINT_FAILED', () => {
      return `${source} gave ${row.length} logits in row ${i}, and ${width} in row 0; give all`;
    });
    data.set(row, i * width);
  }
  return { shape: [count, width], data };
}

/** A row of JSON; null is NaN, for which JSON has no number. */
export function rowOfJson(row: unknown, source: string): Float64Array {
  check(Array.isArray(row), 'ENDPOINT_FAILED', () => {
    return `${source} gave ${show(row)} where a row of logits is expected, a list of numbers`;
  });
  return Float64Array.from(row, number => numberOfJson(number, source));
}

export function numberOfJson(value: unknown, source: string): number {
  if (value === null) return NaN;
  if (typeof value === 'number') return value;
  const message = `${source} gave ${show(value)} where a number is expected, or null for NaN`;
  throw new LlamaError('ENDPOINT_FAILED', message);
}
