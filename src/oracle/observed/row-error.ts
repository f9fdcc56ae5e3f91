/** How far two rows are apart: on the whole, and where it is worst. */
import type { Floats } from '../../base/tensor.js';

export interface Distance {
  /** The root mean square of the differences. */
  readonly rms: number;
  readonly largest: number;
  /** Where the largest one is. */
  readonly column: number;
}

export function distance(x: Floats, y: Floats): Distance {
  let [sum, largest, column] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const difference = Math.abs(x[i] - y[i]);
    sum += difference * difference;
    if (difference > largest || Number.isNaN(difference)) [largest, column] = [difference, i];
  }
  return { rms: Math.sqrt(sum / x.length), largest, column };
}

/** The same from zero. */
export function size(x: Floats): Pick<Distance, 'rms' | 'largest'> {
  let [sum, largest] = [0, 0];
  for (const value of x) {
    sum += value * value;
    largest = Math.max(largest, Math.abs(value));
  }
  return { rms: Math.sqrt(sum / x.length), largest };
}
