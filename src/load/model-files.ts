/**
 * A model's files → its configuration and its weights, checked against each other. Either a GGUF
 * file (`files/gguf/model.ts`), or a directory as Hugging Face writes it:
 *
 *     config.json                     what the model is
 *     generation_config.json          optional; how `generate()` runs it: the ids that end a text,
 *                                     sampling defaults
 *     model.safetensors, …            the weights: see `weight-files.ts`
 */

import { join } from 'node:path';
import { check, show } from '../base/errors.js';
import { isObject } from '../base/json.js';
import { type ParsedConfig, parseTokenIds, readConfig } from '../files/config-json/config-json.js';
import { isFile, readJson } from '../files/file.js';
import { openGgufModel } from '../files/gguf/model.js';
import { ADAPTER, adapterOnly, openWeightFiles, thereIs } from '../files/weight-files.js';
import type { Checkpoint } from '../model/checkpoint.js';
import type { LlamaConfig } from '../model/config.js';
import { selectWeights } from '../model/select-weights.js';
import { expectedWeights } from '../model/weights.js';
import { inFile, listDirectory } from './directory.js';

export const CONFIG = 'config.json';
export const GENERATION_CONFIG = 'generation_config.json';

export interface ModelFiles {
  readonly path: string;
  readonly config: LlamaConfig;
  /** Its tensors are those that `config` describes, and no others. Close it when done. */
  readonly checkpoint: Checkpoint;
  /** generation_config.json as it is, unchecked but for `eos_token_id`. */
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  /** What the files say or hold besides, and changes nothing: a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Opens the model at `path`: a GGUF file, or a directory. Throws what `openGgufModel` and
 * `openModelDirectory` throw.
 */
export async function openModelFiles(path: string): Promise<ModelFiles> {
  return (await isFile(path)) ? { path, ...(await openGgufModel(path)) } : openModelDirectory(path);
}

/**
 * Opens the model in the directory `path`; no weights are read yet, but those that must be equal to
 * others. Where there is a generation_config.json, its ids that end a text, which may be none,
 * replace those of config.json, as they do for Hugging Face's `generate()`.
 *
 * @throws {LlamaError} NOT_FOUND, UNSUPPORTED, BAD_CONFIG, BAD_CHECKPOINT or TENSOR_MISMATCH,
 * saying what is there and what is not.
 */
export async function openModelDirectory(path: string): Promise<ModelFiles> {
  const files = await listDirectory(path);
  if (!files.includes(CONFIG) && files.includes(ADAPTER)) throw await adapterOnly(path);
  check(
    files.includes(CONFIG),
    'NOT_FOUND',
    () =>
      `there is no ${CONFIG} in ${path}${thereIs(files)}; ` +
      'give the directory that has it beside the weights, or a GGUF file by its own path',
  );
  const own = await readModelConfig(path);
  const { config, notes, generationConfig } = files.includes(GENERATION_CONFIG)
    ? await withGenerationConfig(path, own)
    : { ...own, generationConfig: undefined };

  const weights = expectedWeights(config);
  const isNeeded = (name: string) => weights.has(name) || weights.has(`model.${name}`);
  const opened = await openWeightFiles(path, files, isNeeded);
  try {
    const checkpoint = await selectWeights(config, opened);
    return {
      path,
      config,
      checkpoint,
      ...(generationConfig && { generationConfig }),
      notes: [...notes, ...checkpoint.notes, ...adapterNote(files)],
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function readModelConfig(path: string): Promise<ParsedConfig> {
  const file = join(path, CONFIG);
  const json = await readJson(file, 'BAD_CONFIG');
  return inFile(file, () => {
    const { config, notes } = readConfig(json);
    return { config, notes: notes.map(note => `${file}: ${note}`) };
  });
}

/** `own` with the ids that end a text as generation_config.json has them. */
async function withGenerationConfig(path: string, own: ParsedConfig) {
  const file = join(path, GENERATION_CONFIG);
  const json = await readJson(file, 'BAD_CONFIG');
  check(isObject(json), 'BAD_CONFIG', () => `${file} is ${show(json)}, not an object`);
  const notes = [...own.notes];
  const note = (text: string) => notes.push(`${file}: ${text}`);
  const { vocabSize, eosTokenIds: before } = own.config;
  const given = json.eos_token_id ?? null;
  const eosTokenIds = inFile(file, () => parseTokenIds('eos_token_id', given, vocabSize, note));
  if (eosTokenIds.join() !== before.join()) {
    note(
      `texts end with ${describeIds(eosTokenIds)}, as Hugging Face's generate() ends them, and ` +
        `not with ${describeIds(before)}, which ${CONFIG} has (eos_token_id)`,
    );
  }
  return { config: { ...own.config, eosTokenIds }, notes, generationConfig: json };
}

const describeIds = (ids: readonly number[]): string =>
  ids.length === 0 ? 'no token' : ids.join(' or ');

function adapterNote(files: readonly string[]): string[] {
  return files.includes(ADAPTER)
    ? [`${ADAPTER} is there too: the adapter it describes is not applied`]
    : [];
}
