/**
 * A GGUF file of a disk as a model: its configuration and its weights, checked against each other.
 */

import { LlamaError } from '../../base/errors.js';
import { checkWeights } from '../../model/check-weights.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { GGUF_LM_HEAD } from '../../model/weights.js';
import { openFile } from '../file.js';
import { ggufCheckpoint } from './checkpoint.js';
import { parseGgufConfig } from './config.js';
import type { GgufFile } from './gguf.js';
import { openGgufParts } from './splits.js';

/**
 * Opens the GGUF file at `path`, all of its parts if it has several. Throws what `openGgufParts`
 * throws.
 */
export function openGgufFile(path: string): Promise<GgufFile> {
  return openGgufParts(path, openFile);
}

/**
 * Opens the model in the GGUF file at `path`; no weights are read yet.
 * @throws {LlamaError} NOT_FOUND, UNSUPPORTED, BAD_CONFIG, BAD_CHECKPOINT or TENSOR_MISMATCH,
 * saying what is there and what is not.
 */
export async function openGgufModel(
  path: string,
): Promise<{ config: LlamaConfig; checkpoint: Checkpoint }> {
  const file = await openGgufFile(path);
  try {
    const config = configOf(file);
    const checkpoint = await ggufCheckpoint(file, config);
    checkWeights(config, checkpoint);
    return { config, checkpoint };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function configOf({ name, metadata, tensors }: GgufFile): LlamaConfig {
  try {
    return parseGgufConfig(metadata, !tensors.has(GGUF_LM_HEAD));
  } catch (error) {
    throw error instanceof LlamaError
      ? new LlamaError(error.code, `${name}: ${error.message}`)
      : error;
  }
}
