/** The options of loading a model: one table. */
import {
  abortSignal,
  badOption,
  callback,
  checkOptions,
  integer,
  number,
  type OptionTable,
  oneOf,
  type Range,
} from '../base/options.js';
import type { ExactOptions } from '../engines/exact/exact-engine.js';
import type { Build } from '../engines/wasm/kernels/builds.js';
import type { CacheFormat } from '../engines/wasm/memory/cache-formats.js';
import type { WeightFormat } from '../engines/wasm/memory/weight-formats.js';
import { MAX_THREADS, type WasmOptions } from '../engines/wasm/wasm-engine.js';
import type { NumericsName } from '../ops/rounding.js';

/** How a model is loaded: with which kernels, and what these take. */
export interface LoadOptions extends ExactOptions, WasmOptions {
  /**
   * Default wasm: fast. `numerics` and `keepBytes` are for exact, which has nothing to tell
   * `onProgress`; all others are for wasm.
   */
  readonly kernels?: 'exact' | 'wasm' | undefined;
  /**
   * Another factor of position interpolation than the model's own: what a server says that ignores
   * it (1) or inverts it (1/8). For both kernels.
   */
  readonly ropeFactor?: number | undefined;
  /**
   * A number above the model's `max_position_embeddings` raises that limit to it, with both
   * kernels; the default stays what the files say. With the wasm kernels there must be memory for
   * so many positions, over all sequences together, or loading is refused.
   */
  readonly context?: WasmOptions['context'];
}

/** A number, or what tells it from the configuration. */
const positions: Range = {
  ...integer(1, 2 ** 31),
  has: value => typeof value === 'function' || integer(1, 2 ** 31).has(value),
};

export const LOAD: OptionTable<LoadOptions> = {
  kernels: {
    range: oneOf(['wasm', 'exact'] satisfies LoadOptions['kernels'][]),
    default: 'wasm',
    value: 'K',
    help:
      'Implementation of the operations: wasm is fast; exact is slow, and what wasm is compared ' +
      'with.',
  },
  weights: {
    range: oneOf(['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] satisfies WeightFormat[]),
    otherwise: 'as in the file',
    owner: 'wasm',
    value: 'W',
    help: 'How weights are held: f32, f16, bf16, or quantized: q8_0, q4_0.',
  },
  cache: {
    range: oneOf(['f32', 'f16', 'q8'] satisfies CacheFormat[]),
    otherwise: 'f32',
    owner: 'wasm',
    value: 'C',
    help: 'How keys and values are held: f32, f16 (half as large) or q8 (8-bit integers).',
  },
  threads: {
    range: integer(1, MAX_THREADS),
    otherwise: 'one for each core that the program may use',
    owner: 'wasm',
    value: 'N',
    help: `Threads to compute with, 1 to ${MAX_THREADS}; the result is the same bits.`,
  },
  numerics: {
    range: oneOf(['f64', 'f32', 'bf16', 'f16'] satisfies NumericsName[]),
    otherwise: 'f64',
    owner: 'exact',
    value: 'T',
    help: 'The arithmetic: f64, or f32, bf16, f16, which round where Hugging Face does.',
  },
  ropeFactor: {
    range: number(Number.MIN_VALUE),
    value: 'F',
    help:
      "Another factor of position interpolation than the model's own, to see what a server that " +
      'ignores it (1) or inverts it (0.125) would say.',
  },
  context: {
    range: positions,
    otherwise: 'as many as the model has; memory is taken as they come',
    value: 'N',
    help:
      "Positions of a text. More than the model's max_position_embeddings raises that limit; " +
      'with kernels wasm there must be memory for them.',
  },
  maxRows: { range: integer(1, 4096), owner: 'wasm' },
  memoryBytes: { range: integer(1, 2 ** 32), owner: 'wasm' },
  build: { range: oneOf(['simd', 'relaxed', 'dot4'] satisfies Build[]), owner: 'wasm' },
  keepBytes: { range: number(0, Infinity), owner: 'exact' },
  signal: { range: abortSignal },
  onProgress: { range: callback },
};

/**
 * Ranges that depend on the model are checked where it is known.
 *
 * @throws {LlamaError} BAD_OPTION, with `option`, for one that does not exist, is out of range or
 * belongs to the other kernels
 */
export function checkLoadOptions(options: LoadOptions): void {
  const { kernels } = checkOptions(options, LOAD);
  for (const [name, { owner }] of Object.entries(LOAD)) {
    const isUseless = owner !== undefined && owner !== kernels;
    if (!isUseless || options[name as keyof LoadOptions] === undefined) continue;
    throw badOption(
      name,
      `${name} has no effect with kernels ${kernels}; it is for kernels ${owner}`,
    );
  }
}
