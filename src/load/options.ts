/** The options of loading a model: one table, of those of the engines and a few for both. */
import { badOption, checkOptions, number, type OptionTable, oneOf } from '../base/options.js';
import { EXACT, type ExactOptions } from '../engines/exact/options.js';
import { WASM, type WasmOptions } from '../engines/wasm/options.js';

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

export const LOAD: OptionTable<LoadOptions> = {
  kernels: {
    range: oneOf(['wasm', 'exact'] satisfies LoadOptions['kernels'][]),
    default: 'wasm',
    value: 'K',
    help:
      'Implementation of the operations: wasm is fast; exact is slow, and what wasm is compared ' +
      'with.',
  },
  ...WASM,
  ...EXACT,
  ropeFactor: {
    range: number(Number.MIN_VALUE),
    value: 'F',
    help:
      "Another factor of position interpolation than the model's own, to see what a server that " +
      'ignores it (1) or inverts it (0.125) would say.',
  },
  context: {
    ...WASM.context,
    otherwise: 'as many as the model has; memory is taken as they come',
    value: 'N',
    help:
      "Positions of a text. More than the model's max_position_embeddings raises that limit; " +
      'with kernels wasm there must be memory for them.',
  },
};

/**
 * What is told from the configuration is checked where that is known.
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
