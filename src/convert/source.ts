/** A model that is to be written again, and what belongs to it besides its weights. */

import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { LlamaError } from '../base/errors.js';
import { isFile, readWholeFile } from '../files/file.js';
import { readGgufTemplates, type TemplatesByName } from '../files/gguf/chat-template.js';
import { openGgufFile } from '../files/gguf/model.js';
import type { GgufMetadata } from '../files/gguf/values.js';
import { readChatTemplates, templateFile, templateFiles } from '../load/chat-format.js';
import { findTokenizerModel } from '../load/find-tokenizer.js';
import { GENERATION_CONFIG, type ModelFiles, openModelFiles } from '../load/model-files.js';
import { TOKEN_LISTS, TOKENIZER_FILES } from '../load/tokenizer.js';
import { tokenizerFiles } from './directory/tokenizer-files.js';
import type { ModelToWrite } from './gguf/write-model.js';
import { fileWith, type OutputFile } from './output.js';

export interface Source extends ModelFiles {
  /** Of a GGUF file; undefined for a directory. */
  readonly metadata: GgufMetadata | undefined;
}

/** Files of a directory that mean the same whatever format the weights are in. */
const COPIED = [GENERATION_CONFIG, ...TOKENIZER_FILES, ...TOKEN_LISTS];

/**
 * Opens the model at `path`; throws what `openModelFiles` throws. Close its checkpoint when done.
 */
export async function openSource(path: string): Promise<Source> {
  const model = await openModelFiles(path);
  return { ...model, metadata: (await isFile(path)) ? await metadataOf(path) : undefined };
}

async function metadataOf(path: string): Promise<GgufMetadata> {
  const file = await openGgufFile(path);
  await file.close();
  return file.metadata;
}

/** With the tokenizer, or the reason why there is none that can be written anew. */
export async function modelToWrite({
  path,
  config,
  checkpoint,
  metadata,
}: Source): Promise<ModelToWrite> {
  const tokenizer = await findTokenizerModel(path, config.vocabSize);
  const name = basename(resolve(path)).replace(/\.gguf$/i, '');
  const model = { name, config, checkpoint, tokenizer };
  if (metadata !== undefined) return { ...model, metadata };
  const found = await readChatTemplates(path);
  return { ...model, ...(found && { templates: found.templates }) };
}

/** Files, and what they leave out: a sentence each. */
export interface FilesBeside {
  readonly files: readonly OutputFile[];
  readonly notes: readonly string[];
}

/**
 * Tokenizer, chat templates and generation settings, as a directory has them: copied byte for byte,
 * whatever the tokenizer is, or made from a GGUF file.
 */
export async function filesBesideWeights({ path, config, metadata }: Source): Promise<FilesBeside> {
  if (metadata !== undefined) {
    const tokenizer = await findTokenizerModel(path, config.vocabSize);
    const templates = filesOf(readGgufTemplates(metadata));
    return tokenizer instanceof LlamaError
      ? { files: templates, notes: [noTokenizer(tokenizer)] }
      : { files: [...tokenizerFiles(tokenizer), ...templates], notes: [] };
  }
  const present = new Set(await readdir(path));
  const names = COPIED.filter(name => present.has(name));
  const all = [...names, ...(await templateFiles(path)).values()];
  const copied = all.map(async name => fileWith(name, await readWholeFile(join(path, name))));
  return { files: await Promise.all(copied), notes: [] };
}

/** The note of a model that is written without. */
export const noTokenizer = (refusal: LlamaError): string =>
  `no tokenizer is written, so that the model takes token ids only: ${refusal.message}`;

const filesOf = (templates: TemplatesByName): OutputFile[] =>
  [...templates].map(([name, source]) => fileWith(templateFile(name), Buffer.from(source)));
