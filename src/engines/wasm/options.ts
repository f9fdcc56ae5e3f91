/** The options of the WASM engine: what each may be, in one table. */
import {
  abortSignal,
  callback,
  integer,
  type OptionTable,
  oneOf,
  type Range,
} from '../../base/options.js';
import type { LlamaConfig } from '../../model/config.js';
import type { Wide } from './choice/compile-kernels.js';
import { BUILDS, type Build } from './kernels/builds.js';
import type { CacheFormat } from './memory/cache-formats.js';
import type { WeightFormat } from './memory/weight-formats.js';
import type { LoadHooks } from './workers/load-weights.js';

/** How the WASM kernels hold weights, keys and values, and in how many threads they compute. */
export interface WasmOptions extends LoadHooks {
  /** How matrices are stored. Default: as the checkpoint has them, float64 as float32. */
  readonly weights?: WeightFormat | undefined;
  /**
   * How keys and values are stored: f16 takes half of f32's memory, q8 a good quarter. Default f32.
   */
  readonly cache?: CacheFormat | undefined;
  /** 1 … 64. Default: one for each core that this process may use. */
  readonly threads?: number | undefined;
  /**
   * Positions for which there is room, over all sequences together: a number, or what tells it from
   * the configuration. If the machine has no memory for them, loading is refused. Default:
   * `max_position_embeddings`, refused only when so many are in use that they do not fit.
   */
  readonly context?: number | ((config: LlamaConfig) => number) | undefined;
  /** Rows computed at a time: more is faster, and takes more memory. Default 128. */
  readonly maxRows?: number | undefined;
  /** What one memory holds, if not 4 GiB: a smaller one spreads a small model over several. */
  readonly memoryBytes?: number | undefined;
  /**
   * Whether kernels may be compiled to 256-bit code. auto: where V8 can (x86-64, Node 24 to 26),
   * where every kernel then computes the bits of the 128-bit code, and where that is faster; this
   * is tried once, and takes some 350 ms, in which V8's flag `--experimental-wasm-revectorize` is
   * on for the whole process: other WebAssembly that V8 optimizes in that moment, of other threads
   * too, becomes such code. The result is the same bits. Default off; the command line says auto.
   */
  readonly wide?: Wide | undefined;
  /**
   * Which of the builds of the kernels, which give the same bits. A wide one is compared with its
   * narrow sister as with `wide`, and refused if it computes anything else. Default: the fastest
   * one that runs here, and `wide` allows.
   */
  readonly build?: Build | undefined;
}

export const MAX_THREADS = 64;

const count = integer(1, 2 ** 31);
/** A number, or what tells it from the configuration. */
const positions: Range = {
  ...count,
  has: value => typeof value === 'function' || count.has(value),
};

export const WASM: OptionTable<WasmOptions> = {
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
  context: { range: positions },
  maxRows: { range: integer(1, 4096), owner: 'wasm' },
  memoryBytes: { range: integer(1, 2 ** 32), owner: 'wasm' },
  wide: {
    range: oneOf(['auto', 'off'] satisfies Wide[]),
    otherwise: 'off',
    owner: 'wasm',
    value: 'W',
    help:
      'Whether 256-bit code is used where V8 can make it (x86-64, Node 24 to 26), and it is as ' +
      'right and faster: auto, off; the result is the same bits.',
  },
  build: { range: oneOf(BUILDS), owner: 'wasm' },
  signal: { range: abortSignal },
  onProgress: { range: callback },
};
