/**
 * A model by its path: configuration, weights and tokenizer, opened and checked against each other.
 *
 *     await using loaded = await loadModel('path/to/Llama-2-7B-32K-Instruct');
 *     for await (const step of generate(loaded.model, loaded.tokenizer, 'Once upon a time')) …
 */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { check, LlamaError, show } from '../base/errors.js';
import { checkOption, isIntegerFrom, isNumberFrom, refuseUnknownOptions } from '../base/options.js';
import { isBundled, packageFile, refuseBundle } from '../base/package.js';
import { ExactEngine, type ExactOptions } from '../engines/exact/exact-engine.js';
import type { Build } from '../engines/wasm/kernels/builds.js';
import type { CacheFormat } from '../engines/wasm/memory/cache-formats.js';
import type { WeightFormat } from '../engines/wasm/memory/weight-formats.js';
import { WasmEngine, type WasmOptions } from '../engines/wasm/wasm-engine.js';
import { checkConfig, type LlamaConfig } from '../model/config.js';
import { Llama } from '../model/llama.js';
import { ROUNDINGS } from '../ops/rounding.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { openModelFiles } from './model-files.js';
import { parseReference } from './reference.js';
import { checkVocabulary, endOfTextNotes, openTokenizer } from './tokenizer.js';

/** From the package's root. */
const EMBEDDED = 'golden/tiny-32k';

/**
 * What runs when no model is named: tiny-32k, trained by `reference/train` to follow a few
 * instructions and to find a fact in 30,000 tokens.
 */
export const EMBEDDED_MODEL: string = isBundled ? EMBEDDED : fileURLToPath(packageFile(EMBEDDED));

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
}

/**
 * A model that is ready to run, and its tokenizer. `close` it: its threads keep a process alive.
 */
export interface LoadedModel extends AsyncDisposable {
  readonly path: string;
  readonly model: Llama;
  readonly tokenizer: Tokenizer;
  /** generation_config.json as it is; undefined if there is none, as beside a GGUF file. */
  readonly generationConfig: Readonly<Record<string, unknown>> | undefined;
  /** What the files say or hold besides, and changes no number: a sentence each. */
  readonly notes: readonly string[];
  /** Ends the threads and closes the files; running passes reject with DISPOSED. */
  close(): Promise<void>;
}

/**
 * Opens the Hugging Face directory or GGUF file at `path`; the exact kernels read weights when they
 * are first needed, the WASM kernels read them now.
 *
 * @param opened the model's tokenizer, if it is open already
 * @throws {LlamaError} BAD_OPTION, before anything is opened, for an option that does not exist, is
 * out of range or belongs to the other kernels; and what `openModelFiles` and `openTokenizer`
 * throw.
 */
export async function loadModel(
  path: string = EMBEDDED_MODEL,
  options: LoadOptions = {},
  opened?: Tokenizer,
): Promise<LoadedModel> {
  checkOptions(options);
  checkPath(path);
  await refuseNameOfHub(path);
  const tokenizer = opened ?? (await openTokenizer(path));
  const { model, generationConfig, notes: ofFiles } = await loadLlama(path, options);
  try {
    checkVocabulary(tokenizer, model.config.vocabSize);
  } catch (error) {
    await model.close();
    throw error;
  }
  const notes = [...ofFiles, ...endOfTextNotes(model.config, tokenizer)];
  const close = () => model.close();
  return { path, model, tokenizer, generationConfig, notes, close, [Symbol.asyncDispose]: close };
}

/** The same without a tokenizer: for ids in and logits out. */
export async function loadLlama(
  path: string,
  options: LoadOptions = {},
): Promise<Pick<LoadedModel, 'model' | 'generationConfig' | 'notes'>> {
  checkOptions(options);
  checkPath(path);
  await refuseNameOfHub(path);
  const { config: own, checkpoint, generationConfig, notes } = await openModelFiles(path);
  try {
    const config = withRopeFactor(own, options.ropeFactor);
    const engine =
      options.kernels === 'exact'
        ? new ExactEngine(config, checkpoint, options)
        : await WasmEngine.load(config, checkpoint, options);
    return { model: new Llama(config, engine), generationConfig, notes };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

function withRopeFactor(own: LlamaConfig, ropeFactor: number | undefined): LlamaConfig {
  if (ropeFactor === undefined) return own;
  const config = { ...own, ropeFactor };
  checkConfig(config);
  return config;
}

function checkPath(path: unknown): void {
  const isPath = typeof path === 'string' && path !== '';
  checkOption('path', path, isPath, 'the path of a model: loadModel(path, options)');
}

/**
 * Loading downloads nothing.
 * @throws {LlamaError} NOT_FOUND, with the next step, if there is no such path, but perhaps such a
 * model on the hub.
 */
async function refuseNameOfHub(path: string): Promise<void> {
  if (path === EMBEDDED_MODEL) refuseBundle(EMBEDDED);
  if (parseReference(path) === undefined || (await stat(path).catch(() => undefined)) !== undefined)
    return;
  throw new LlamaError(
    'NOT_FOUND',
    `there is no ${path}; if it is a model of the Hugging Face hub: loadModel(await ` +
      `downloadModel(${show(path)}))`,
  );
}

/** The kernels that an option belongs to. A new option that is missing here does not compile. */
const OWNERS: Readonly<
  Record<
    Exclude<keyof LoadOptions, 'kernels' | 'ropeFactor' | 'signal' | 'onProgress'>,
    'exact' | 'wasm'
  >
> = {
  numerics: 'exact',
  keepBytes: 'exact',
  weights: 'wasm',
  cache: 'wasm',
  threads: 'wasm',
  context: 'wasm',
  maxRows: 'wasm',
  memoryBytes: 'wasm',
  build: 'wasm',
};

const CHOICES: Readonly<
  Record<'kernels' | 'numerics' | 'weights' | 'cache' | 'build', readonly string[]>
> = {
  kernels: ['wasm', 'exact'],
  numerics: Object.keys(ROUNDINGS),
  weights: ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] satisfies WeightFormat[],
  cache: ['f32', 'f16', 'q8'] satisfies CacheFormat[],
  build: ['simd', 'relaxed', 'dot4'] satisfies Build[],
};

/**
 * An option that is undefined counts as absent. Ranges that depend on the model are checked where
 * it is known.
 */
function checkOptions(options: LoadOptions): void {
  refuseUnknownOptions(options, [
    'kernels',
    'ropeFactor',
    ...Object.keys(OWNERS),
    'signal',
    'onProgress',
  ]);
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = options[name as keyof typeof CHOICES];
    checkOption(
      name,
      value,
      value === undefined || choices.includes(value),
      `one of ${choices.join(', ')}`,
    );
  }
  const { kernels = 'wasm', ropeFactor = 1, keepBytes = 0, memoryBytes = 1 } = options;
  for (const [name, owner] of Object.entries(OWNERS)) {
    const isUseless = owner !== kernels && options[name as keyof typeof OWNERS] !== undefined;
    check(
      !isUseless,
      'BAD_OPTION',
      () => `${name} has no effect with kernels ${kernels}; it is for kernels ${owner}`,
    );
  }
  checkOption(
    'ropeFactor',
    ropeFactor,
    isNumberFrom(ropeFactor, 0, Infinity) && ropeFactor > 0,
    'a number above 0',
  );
  checkOption(
    'keepBytes',
    keepBytes,
    isNumberFrom(keepBytes, 0, Infinity),
    'a number of bytes, 0 or more',
  );
  checkOption(
    'memoryBytes',
    memoryBytes,
    isIntegerFrom(memoryBytes, 1, 2 ** 32),
    'an integer from 1 to 2^32',
  );
}
