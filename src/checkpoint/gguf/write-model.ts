/** A model, from whatever files, as a GGUF file: by llama.cpp's names, with its order of rows in Q and K, in any of its formats. */

import type { LlamaConfig } from '../../config.js';
import { ggufConfigMetadata } from '../../config-gguf.js';
import { check, LlamaError, show } from '../../errors.js';
import { ggufTokenizerMetadata } from '../../tokenizer/gguf-tokenizer.js';
import type { TokenizerModel } from '../../tokenizer/tokenizer-model.js';
import type { Checkpoint, CheckpointTensor } from '../checkpoint.js';
import { encodeNumbers } from '../rows.js';
import { expectedWeights } from '../weights.js';
import type { GgmlDType } from './ggml-types.js';
import { ggufName } from './names.js';
import { dtypeInFile, FILE_TYPES, type GgufFileType } from './recipes.js';
import { huggingFaceRows, isRotated, reordered } from './rotary-order.js';
import type { GgufMetadata, GgufValue } from './values.js';
import type { GgufInput } from './writer.js';

/** Numbers are read and converted so many at a time. */
const PIECE_NUMBERS = 2 ** 20;
/** That of the block formats since May 2023, GGML_QNT_VERSION. */
const QUANTIZATION_VERSION = 2;

export interface ModelToWrite {
  /** For people: general.name. */
  readonly name: string;
  readonly config: LlamaConfig;
  /** With the weights that `config` describes. Read while the file is being written. */
  readonly checkpoint: Checkpoint;
  readonly tokenizer: TokenizerModel;
}

/**
 * What `writeGguf` writes for `model`. Each tensor is read, converted and let go in pieces; one that has the wanted format already
 * stays as it is, bit for bit.
 *
 * @throws {LlamaError} UNSUPPORTED for what a GGUF file has no room for. The chunks of a tensor throw NOT_FINITE if it has numbers
 * that are none, or too large for the format.
 */
export function ggufOfModel(
  { name, config, checkpoint, tokenizer }: ModelToWrite,
  fileType: GgufFileType,
): { metadata: GgufMetadata; tensors: GgufInput[] } {
  checkIds(config, tokenizer);
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.name', { type: 'string', value: name }],
    ['general.file_type', { type: 'u32', value: FILE_TYPES[fileType].id }],
    ['general.quantization_version', { type: 'u32', value: QUANTIZATION_VERSION }],
    ...ggufConfigMetadata(config),
    ...ggufTokenizerMetadata(tokenizer, config.vocabSize),
  ]);
  const tensors = [...expectedWeights(config)].map(([key, shape]): GgufInput => {
    const tensor = checkpoint.tensors.get(key)!;
    const dtype = dtypeInFile(fileType, key, shape, config);
    const inOrder = isRotated(key) ? reordered(tensor, huggingFaceRows(config.headDim)) : tensor;
    return { name: ggufName(key)!, dtype, shape, chunks: converted(inOrder, dtype) };
  });
  return { metadata, tensors };
}

/** A GGUF file has one id for what the tokenizer puts around a text and what generation begins and ends with. */
function checkIds({ bosTokenId, eosTokenIds }: LlamaConfig, { vocabulary: { bosId, eosId } }: TokenizerModel): void {
  check(
    bosTokenId === bosId && eosTokenIds[0] === eosId,
    'UNSUPPORTED',
    () =>
      `texts begin with ${bosTokenId} and end with ${eosTokenIds[0]} for the model, with ${bosId} and ${eosId} for the tokenizer; ` +
      'a GGUF file has room for one of each: make bos_token_id and eos_token_id those of the tokenizer',
  );
}

async function* converted(tensor: CheckpointTensor, dtype: GgmlDType): AsyncGenerator<Uint8Array> {
  const rows = tensor.shape[0];
  const width = tensor.shape[1] ?? 1;
  const rowsAtOnce = Math.max(1, Math.floor(PIECE_NUMBERS / width));
  for (let first = 0; first < rows; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - first);
    if (dtype === tensor.dtype) yield await tensor.readBytes(first, count);
    else yield encoded(tensor.name, dtype, await tensor.read(first, count));
  }
}

function encoded(name: string, dtype: GgmlDType, numbers: Parameters<typeof encodeNumbers>[1]): Uint8Array {
  try {
    return encodeNumbers(dtype, numbers);
  } catch (error) {
    throw error instanceof LlamaError ? new LlamaError(error.code, `tensor ${show(name)}: ${error.message}`) : error;
  }
}
