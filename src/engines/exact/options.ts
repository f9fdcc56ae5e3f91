/** The options of the exact engine: what each may be, in one table. */
import { number, type OptionTable, oneOf } from '../../base/options.js';
import type { NumericsName } from '../../ops/rounding.js';

/** How the exact kernels compute. */
export interface ExactOptions {
  /** Default f64. */
  readonly numerics?: NumericsName;
  /**
   * Weights are kept in memory if, decoded, they take no more than this; else each pass streams
   * them. Default 4 GiB.
   */
  readonly keepBytes?: number;
}

export const EXACT: OptionTable<ExactOptions> = {
  numerics: {
    range: oneOf(['f64', 'f32', 'bf16', 'f16'] satisfies NumericsName[]),
    otherwise: 'f64',
    owner: 'exact',
    value: 'T',
    help: 'The arithmetic: f64, or f32, bf16, f16, which round where Hugging Face does.',
  },
  keepBytes: { range: number(0, Infinity), owner: 'exact' },
};
