/** The options of loading a model: one table, of those of the engines and a few for both. */
import {
  badOption,
  checkOptions,
  number,
  type OptionTable,
  oneOf,
  type Range,
} from '../base/options.js';
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
   * Linear position interpolation by this factor, in place of the model's own scaling, of whatever
   * type: what a server says that ignores it (1) or inverts it (1/8). For both kernels.
   */
  readonly ropeFactor?: number | undefined;
  /**
   * A number above the model's `max_position_embeddings` raises that limit to it, with both
   * kernels; the default stays what the files say. With the wasm kernels there must be memory for
   * so many positions, over all sequences together, or loading is refused.
   */
  readonly context?: WasmOptions['context'];
  /**
   * Whether packed weights are kept on the disk, so that the same model loads faster the next time:
   * true in `packed` in LLAMA_32K_CACHE, which is `llama-32k` in XDG_CACHE_HOME or ~/.cache; a path
   * in that directory. Only what takes longer to pack than to read: weights of 100 MB or more that
   * are quantized, or are made of quantized ones. What was written, and what could not be, is in
   * `notes`. Default false; the command line says true.
   */
  readonly packCache?: boolean | string | undefined;
  /**
   * How many gigabytes (10⁹ bytes) may be kept of all models together; what was used longest ago
   * goes first. Half of what is free on the disk stays free in any case. Default 20.
   */
  readonly packCacheSize?: number | undefined;
}

/** A switch, or where. */
const directory: Range = {
  is: 'true, false or the path of a directory',
  has: value => typeof value === 'boolean' || (typeof value === 'string' && value !== ''),
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
  ...WASM,
  ...EXACT,
  ropeFactor: {
    range: number(Number.MIN_VALUE),
    value: 'F',
    help:
      "Linear position interpolation by F in place of the model's own scaling, to see what a " +
      'server that ignores it (1) or inverts it (0.125) would say.',
  },
  context: {
    ...WASM.context,
    otherwise: 'as many as the model has; memory is taken as they come',
    value: 'N',
    help:
      "Positions of a text. More than the model's max_position_embeddings raises that limit; " +
      'with kernels wasm there must be memory for them.',
  },
  packCache: { range: directory, owner: 'wasm' },
  packCacheSize: {
    range: number(Number.MIN_VALUE),
    default: 20,
    owner: 'wasm',
    value: 'GB',
    help:
      'Of packed weights at most so many gigabytes are kept in ~/.cache/llama-32k/packed ' +
      '(XDG_CACHE_HOME, LLAMA_32K_CACHE), and half of what is free on the disk stays free; those ' +
      'used longest ago go first.',
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
  const { packCache = false, packCacheSize } = options;
  if (packCacheSize !== undefined && packCache === false)
    throw badOption('packCacheSize', 'packCacheSize has no effect where no weights are kept');
}
