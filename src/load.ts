/**
 * A model by its path: configuration, weights and tokenizer, opened and checked against each other.
 *
 *     await using loaded = await loadModel('path/to/Llama-2-7B-32K-Instruct');
 *     for await (const step of generate(loaded.model, loaded.tokenizer, 'Once upon a time')) …
 */
import { fileURLToPath } from 'node:url';
import { openModelDirectory } from './checkpoint/open.js';
import { ExactEngine, type ExactOptions } from './kernels/exact-engine.js';
import { WasmEngine, type WasmOptions } from './kernels/wasm/wasm-engine.js';
import { Llama } from './model/llama.js';
import { checkVocabulary, openTokenizer } from './tokenizer/open.js';
import type { Tokenizer } from './tokenizer/tokenizer.js';

/**
 * What runs when no model is named: a small random one, until a trained one is embedded. Its text is noise; its numbers are known
 * to the last bit, which is what it is for.
 */
export const EMBEDDED_MODEL = fileURLToPath(new URL('../golden/gqa', import.meta.url));

export interface LoadOptions extends ExactOptions, WasmOptions {
  /** Default wasm: fast. With exact, `numerics` and `keepBytes` apply; with wasm, all the others. */
  readonly kernels?: 'exact' | 'wasm' | undefined;
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
 * Opens the Hugging Face directory `path`; the exact kernels read weights when they are first needed, the WASM kernels read them now.
 *
 * @throws {LlamaError} what `openModelDirectory` and `openTokenizer` throw.
 */
export async function loadModel(path: string = EMBEDDED_MODEL, options: LoadOptions = {}): Promise<LoadedModel> {
  const tokenizer = await openTokenizer(path);
  const { model, generationConfig } = await loadLlama(path, options);
  try {
    checkVocabulary(tokenizer, model.config.vocabSize);
  } catch (error) {
    await model.close();
    throw error;
  }
  const close = () => model.close();
  return { path, model, tokenizer, generationConfig, close, [Symbol.asyncDispose]: close };
}

/** The same without a tokenizer: for ids in and logits out. */
export async function loadLlama(
  path: string,
  options: LoadOptions = {},
): Promise<Pick<LoadedModel, 'model' | 'generationConfig'>> {
  const { config, checkpoint, generationConfig } = await openModelDirectory(path);
  try {
    const engine =
      options.kernels === 'exact'
        ? new ExactEngine(config, checkpoint, options)
        : await WasmEngine.load(config, checkpoint, options);
    return { model: new Llama(config, engine), generationConfig };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}
