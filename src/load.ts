/**
 * A model by its path: configuration, weights and tokenizer, opened and checked against each other.
 *
 *     await using loaded = await loadModel('path/to/Llama-2-7B-32K-Instruct');
 *     for await (const step of generate(loaded.model, loaded.tokenizer, 'Once upon a time')) …
 */
import { fileURLToPath } from 'node:url';
import { openModelDirectory } from './checkpoint/open.js';
import { ExactKernels } from './kernels/exact.js';
import { Llama } from './model/llama.js';
import type { NumericsName } from './ops/rounding.js';
import { checkVocabulary, openTokenizer } from './tokenizer/open.js';
import type { Tokenizer } from './tokenizer/tokenizer.js';

/**
 * What runs when no model is named: a small random one, until a trained one is embedded. Its text is noise; its numbers are known
 * to the last bit, which is what it is for.
 */
export const EMBEDDED_MODEL = fileURLToPath(new URL('../golden/gqa', import.meta.url));

export interface LoadOptions {
  /** The arithmetic of the exact kernels, see `src/ops/rounding.ts`. Default f64. */
  readonly numerics?: NumericsName;
  /** See `LlamaOptions.keepBytes`. */
  readonly keepBytes?: number;
}

export interface LoadedModel extends AsyncDisposable {
  readonly path: string;
  readonly model: Llama;
  readonly tokenizer: Tokenizer;
  /** generation_config.json as it is; undefined if there is none. */
  readonly generationConfig: Readonly<Record<string, unknown>> | undefined;
  close(): Promise<void>;
}

/**
 * Opens the Hugging Face directory `path`; weights are read when they are first needed.
 *
 * @throws {LlamaError} what `openModelDirectory` and `openTokenizer` throw.
 */
export async function loadModel(path: string = EMBEDDED_MODEL, options: LoadOptions = {}): Promise<LoadedModel> {
  const { numerics = 'f64', keepBytes } = options;
  const directory = await openModelDirectory(path);
  try {
    const tokenizer = await openTokenizer(path);
    checkVocabulary(tokenizer, directory.config.vocabSize);
    const model = new Llama(directory.config, directory.checkpoint, {
      kernels: new ExactKernels(numerics),
      ...(keepBytes !== undefined && { keepBytes }),
    });
    const close = () => model.close();
    const { generationConfig } = directory;
    return { path, model, tokenizer, generationConfig, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await directory.checkpoint.close();
    throw error;
  }
}
