/**
 * A model's files → its configuration and its weights, checked against each other. Either a GGUF
 * file (`files/gguf/model.ts`), or a directory as Hugging Face writes it:
 *
 *     config.json                     what the model is
 *     generation_config.json          optional; how `generate()` runs it: the ids that end a text,
 *                                     sampling defaults
 *     model.safetensors, …            the weights: see `weight-files.ts`
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { check, LlamaError, show } from '../base/errors.js';
import { isObject } from '../base/json.js';
import { isFile, readJson, reason } from '../files/file.js';
import { openGgufModel } from '../files/gguf/model.js';
import { openWeightFiles, thereIs } from '../files/weight-files.js';
import { checkTiedHead, checkWeights } from '../model/check-weights.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { checkConfig, type LlamaConfig, parseConfig, parseEosTokenIds } from '../model/config.js';

export const CONFIG = 'config.json';
export const GENERATION_CONFIG = 'generation_config.json';

export interface ModelFiles {
  readonly path: string;
  readonly config: LlamaConfig;
  /** Its tensors are those that `config` describes. Close it when done. */
  readonly checkpoint: Checkpoint;
  /** generation_config.json as it is, unchecked but for `eos_token_id`. */
  readonly generationConfig?: Readonly<Record<string, unknown>>;
}

/**
 * Opens the model at `path`: a GGUF file, or a directory. Throws what `openGgufModel` and
 * `openModelDirectory` throw.
 */
export async function openModelFiles(path: string): Promise<ModelFiles> {
  return (await isFile(path)) ? { path, ...(await openGgufModel(path)) } : openModelDirectory(path);
}

/**
 * Opens the model in the directory `path`; no weights are read yet. Where generation_config.json
 * gives ids that end a text, they replace those of config.json, as they do for Hugging Face's
 * `generate()`.
 *
 * @throws {LlamaError} NOT_FOUND, UNSUPPORTED, BAD_CONFIG, BAD_CHECKPOINT or TENSOR_MISMATCH,
 * saying what is there and what is not.
 */
export async function openModelDirectory(path: string): Promise<ModelFiles> {
  const files = await listDirectory(path);
  check(
    files.includes(CONFIG),
    'NOT_FOUND',
    () => `there is no ${CONFIG} in ${path}${thereIs(files)}`,
  );
  const json = await readJson(join(path, CONFIG), 'BAD_CONFIG');
  const ownConfig = inFile(join(path, CONFIG), () => parseConfig(json));
  const generationConfig = files.includes(GENERATION_CONFIG)
    ? await readGenerationConfig(path)
    : undefined;
  const config = inFile(join(path, GENERATION_CONFIG), () =>
    withEosTokenIds(ownConfig, generationConfig?.eos_token_id),
  );

  const checkpoint = await openWeightFiles(path, files);
  try {
    checkWeights(config, checkpoint);
    await checkTiedHead(config, checkpoint);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
  return { path, config, checkpoint, ...(generationConfig && { generationConfig }) };
}

async function readGenerationConfig(path: string): Promise<Record<string, unknown>> {
  const file = join(path, GENERATION_CONFIG);
  const json = await readJson(file, 'BAD_CONFIG');
  check(isObject(json), 'BAD_CONFIG', () => `${file} is ${show(json)}, not an object`);
  return json;
}

function withEosTokenIds(config: LlamaConfig, ids: unknown): LlamaConfig {
  if (ids === undefined || ids === null) return config;
  const merged = { ...config, eosTokenIds: parseEosTokenIds(ids) };
  checkConfig(merged);
  return merged;
}

/** What `parse` returns; the name of the file is put in front of what it finds wrong. */
function inFile<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof LlamaError
      ? new LlamaError(error.code, `${file}: ${error.message}`)
      : error;
  }
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    throw new LlamaError('NOT_FOUND', `cannot open the model directory ${path}: ${reason(error)}`, {
      cause: error,
    });
  }
}
