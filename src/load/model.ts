/**
 * A model by its path: configuration, weights and tokenizer, opened and checked against each other.
 *
 *     await using loaded = await loadModel('path/to/Llama-2-7B-32K-Instruct');
 *     for await (const step of generate(loaded.model, loaded.tokenizer, 'Once upon a time')) …
 */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LlamaError, show } from '../base/errors.js';
import { checkOption } from '../base/options.js';
import { isBundled, packageFile, refuseBundle } from '../base/package.js';
import { ExactEngine } from '../engines/exact/exact-engine.js';
import { WasmEngine } from '../engines/wasm/wasm-engine.js';
import { checkConfig, type LlamaConfig } from '../model/config.js';
import { raiseLimit } from '../model/context.js';
import { Llama } from '../model/llama.js';
import type { LinearScaling } from '../ops/rope-scaling/linear.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { orRefusal } from './find-tokenizer.js';
import { packCacheDirectory } from './kept-files/directories.js';
import { openModelFiles } from './model-files.js';
import { checkLoadOptions, LOAD, type LoadOptions } from './options.js';
import { PackCache } from './pack-cache/pack-cache.js';
import { parseReference } from './reference.js';
import { checkVocabulary, endOfTextNotes, openTokenizer } from './tokenizer.js';
import { packageVersion } from './version.js';

/** From the package's root. */
const EMBEDDED = 'golden/tiny-32k';

/**
 * What runs when no model is named: tiny-32k, trained by `reference/train` to follow a few
 * instructions and to find a fact in 30,000 tokens.
 */
export const EMBEDDED_MODEL: string = isBundled ? EMBEDDED : fileURLToPath(packageFile(EMBEDDED));

/**
 * A model that is ready to run, and its tokenizer. `close` it: its threads keep a process alive.
 */
export interface LoadedModel extends AsyncDisposable {
  readonly path: string;
  readonly model: Llama;
  readonly tokenizer: Tokenizer;
  /** generation_config.json as it is; undefined if there is none, as beside a GGUF file. */
  readonly generationConfig: Readonly<Record<string, unknown>> | undefined;
  /**
   * A text that is another one when the files have other bytes, found without reading all of them;
   * undefined if nothing tells that of the bytes that were loaded.
   */
  readonly identity: string | undefined;
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
 * throw. Where only the tokenizer is missing or not known, `loadLlama` opens the model.
 */
export async function loadModel(
  path: string = EMBEDDED_MODEL,
  options: LoadOptions = {},
  opened?: Tokenizer,
): Promise<LoadedModel> {
  checkLoadOptions(options);
  checkPath(path);
  await refuseNameOfHub(path);
  const loaded = await loadForIds(path, opened ?? (await openTokenizer(path)), options);
  const { tokenizer } = loaded;
  if (!(tokenizer instanceof LlamaError)) return { ...loaded, tokenizer };
  await loaded.close();
  throw tokenizer;
}

/** A model with its tokenizer, or the reason why it has none that can be used. */
export interface LoadedForIds extends Omit<LoadedModel, 'tokenizer'> {
  readonly tokenizer: Tokenizer | LlamaError;
}

/**
 * The model at `path`, with the tokenizer that `findTokenizer` found, or with the error that says
 * why it has none; a tokenizer that has ids which the model lacks is refused in the same way.
 *
 * @throws {LlamaError} what `loadModel` throws, but for what is the matter with the tokenizer
 */
export async function loadForIds(
  path: string,
  found: Tokenizer | LlamaError,
  options: LoadOptions,
): Promise<LoadedForIds> {
  const { notes: ofFiles, ...loaded } = await loadLlama(path, options);
  const { model } = loaded;
  const { config } = model;
  const tokenizer = await orRefusal(() => fitting(found, config));
  const notes = [...ofFiles, ...tokenizerNotes(tokenizer, config)];
  const close = () => model.close();
  return { path, ...loaded, tokenizer, notes, close, [Symbol.asyncDispose]: close };
}

function fitting(found: Tokenizer | LlamaError, config: LlamaConfig): Tokenizer | LlamaError {
  if (!(found instanceof LlamaError)) checkVocabulary(found, config.vocabSize);
  return found;
}

/** What is to be known of the tokenizer that was found, or of there being none. */
export function tokenizerNotes(found: Tokenizer | LlamaError, config: LlamaConfig): string[] {
  return found instanceof LlamaError
    ? [`token ids only, no text: ${found.message}`]
    : [...found.notes, ...endOfTextNotes(config, found)];
}

/**
 * The same without a tokenizer: for ids in and logits out, also of a model whose tokenizer is
 * missing or not known. `idsOnly` stands in for it where ids are generated.
 */
export async function loadLlama(
  path: string,
  options: LoadOptions = {},
): Promise<Pick<LoadedModel, 'model' | 'generationConfig' | 'identity' | 'notes'>> {
  checkLoadOptions(options);
  checkPath(path);
  await refuseNameOfHub(path);
  const { config: own, checkpoint, generationConfig, notes } = await openModelFiles(path);
  try {
    const config = withOptions(own, options);
    const packed = await packCacheOf(options);
    const before = await checkpoint.identify?.();
    const engine =
      options.kernels === 'exact'
        ? new ExactEngine(config, checkpoint, options)
        : await WasmEngine.load(config, checkpoint, options, packed);
    const model = new Llama(config, engine);
    const identity = (await checkpoint.identify?.()) === before ? before : undefined;
    return { model, generationConfig, identity, notes: [...notes, ...(packed?.notes ?? [])] };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

function withOptions(own: LlamaConfig, { ropeFactor, context }: LoadOptions): LlamaConfig {
  const config = ropeFactor === undefined ? own : { ...own, ropeScaling: linear(ropeFactor) };
  checkConfig(config);
  return typeof context === 'number' ? raiseLimit(config, context) : config;
}

const linear = (factor: number): LinearScaling => ({ type: 'linear', factor });

async function packCacheOf({
  packCache = false,
  packCacheSize = LOAD.packCacheSize.default!,
}: LoadOptions): Promise<PackCache | undefined> {
  if (packCache === false) return undefined;
  return new PackCache({
    directory: packCache === true ? packCacheDirectory(process.env) : packCache,
    maxBytes: packCacheSize * 1e9,
    version: await packageVersion(),
  });
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
