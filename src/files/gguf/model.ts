/**
 * A GGUF file of a disk as a model: its configuration and its weights, checked against each other.
 */

import { check, LlamaError } from '../../base/errors.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { selectWeights } from '../../model/select-weights.js';
import { GGUF_LM_HEAD } from '../../model/weights.js';
import { openFile } from '../file.js';
import { ggufCheckpoint } from './checkpoint.js';
import { parseGgufConfig } from './config.js';
import type { GgufFile } from './gguf.js';
import { ROPE_FACTORS } from './rope.js';
import { openGgufParts } from './splits.js';

/**
 * Opens the GGUF file at `path`, all of its parts if it has several. Throws what `openGgufParts`
 * throws.
 */
export function openGgufFile(path: string): Promise<GgufFile> {
  return openGgufParts(path, openFile);
}

/** What `openGgufModel` gives: see `ModelFiles` in `src/load/model-files.ts`. */
export interface GgufModel {
  readonly config: LlamaConfig;
  readonly checkpoint: Checkpoint;
  readonly notes: readonly string[];
}

/**
 * Opens the model in the GGUF file at `path`; no weights are read yet.
 * @throws {LlamaError} NOT_FOUND, UNSUPPORTED, BAD_CONFIG, BAD_CHECKPOINT or TENSOR_MISMATCH,
 * saying what is there and what is not.
 */
export async function openGgufModel(path: string): Promise<GgufModel> {
  const file = await openGgufFile(path);
  try {
    check(
      file.tensors.size > 0,
      'UNSUPPORTED',
      () =>
        `${path} has no tensors, only metadata` +
        (hasVocabulary(file)
          ? ' with a vocabulary: tokenize and detokenize work with it, all else needs weights'
          : '; a model is a file with the weights'),
    );
    const config = await configOf(file);
    const checkpoint = await selectWeights(config, ggufCheckpoint(file, config));
    return { config, checkpoint, notes: checkpoint.notes };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const hasVocabulary = ({ metadata }: GgufFile): boolean => metadata.has('tokenizer.ggml.tokens');

async function configOf({ name, metadata, tensors }: GgufFile): Promise<LlamaConfig> {
  const factors = await tensors.get(ROPE_FACTORS)?.read();
  try {
    return parseGgufConfig(metadata, !tensors.has(GGUF_LM_HEAD), factors && [...factors]);
  } catch (error) {
    throw error instanceof LlamaError
      ? new LlamaError(error.code, `${name}: ${error.message}`)
      : error;
  }
}
