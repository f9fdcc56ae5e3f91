/**
 * A model, from whatever files, as a GGUF file: by llama.cpp's names, with its order of rows in Q
 * and K, in any of its formats.
 */

import { LlamaError } from '../../base/errors.js';
import { elementCount } from '../../base/tensor.js';
import { bytesOf } from '../../files/dtypes.js';
import { ggufTemplateMetadata, type TemplatesByName } from '../../files/gguf/chat-template.js';
import { ggufConfigMetadata } from '../../files/gguf/config.js';
import type { GgmlDType } from '../../files/gguf/ggml-types.js';
import { ROPE_FACTORS, ropeFactors } from '../../files/gguf/rope.js';
import { huggingFaceRows, reorderHeads } from '../../files/gguf/rotary-order.js';
import type { GgufMetadata, GgufValue } from '../../files/gguf/values.js';
import type { GgufInput } from '../../files/gguf/writer.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { type Weight, weightsOf } from '../../model/weights.js';
import { ggufTokenizerMetadata } from '../../tokenizer/gguf/gguf-tokenizer.js';
import type { TokenizerModel } from '../../tokenizer/model/tokenizer-model.js';
import { type Recoder, recodeTensor } from '../recoder.js';
import {
  dtypeInFile,
  FILE_TYPES,
  type GgufFileType,
  keptDType,
  MAIN_FILE_TYPES,
} from './recipes.js';

/** That of the block formats since May 2023, GGML_QNT_VERSION. */
const QUANTIZATION_VERSION = 2;

/** As llama.cpp's converter says it. */
const NO_TOKENIZER = ['tokenizer.ggml.model', { type: 'string', value: 'none' }] as const;

/** Metadata that a file has for itself, not for its model. */
const ABOUT_THE_FILE = /^split\.|^general\.(alignment|file_type|quantization_version)$/;

export interface ModelToWrite {
  /** For people: general.name. */
  readonly name: string;
  readonly config: LlamaConfig;
  /** With the weights that `config` describes. Read while the file is being written. */
  readonly checkpoint: Checkpoint;
  /** Or why there is none; then that of `metadata` is kept as it is, if there is one. */
  readonly tokenizer: TokenizerModel | LlamaError;
  /** Of a directory; those of a GGUF file are in its metadata. */
  readonly templates?: TemplatesByName;
  /**
   * Of the GGUF file that the model comes from, if it comes from one: what it says besides is kept.
   */
  readonly metadata?: GgufMetadata;
}

/**
 * By the names of Hugging Face: the format of each weight in a file of `fileType`, or, without one,
 * that of the checkpoint.
 */
export function dtypesInFile(
  { config, checkpoint }: Pick<ModelToWrite, 'config' | 'checkpoint'>,
  fileType?: GgufFileType,
): Map<string, GgmlDType> {
  const dtypeOf = (weight: Weight) =>
    fileType === undefined
      ? keptDType(checkpoint.tensors.get(weight.name)!)
      : dtypeInFile(fileType, weight, config);
  return new Map(weightsOf(config).map(weight => [weight.name, dtypeOf(weight)]));
}

/**
 * What `writeGguf` writes for `model`. Each tensor is read, converted and let go in pieces; one
 * that has the wanted format already stays as it is, bit for bit.
 *
 * @throws {LlamaError} UNSUPPORTED for what a GGUF file has no room for. The chunks of a tensor
 * throw NOT_FINITE if it has numbers that are none, or too large for the format.
 */
export function ggufOfModel(
  model: ModelToWrite,
  fileType?: GgufFileType,
  recoder?: Recoder,
): { metadata: GgufMetadata; tensors: GgufInput[] } {
  const { config, checkpoint } = model;
  const dtypes = dtypesInFile(model, fileType);
  const tensors = weightsOf(config).map(({ name, ggufName, shape, isRotated }): GgufInput => {
    const tensor = checkpoint.tensors.get(name)!;
    const dtype = dtypes.get(name)!;
    const inOrder = isRotated ? reorderHeads(tensor, huggingFaceRows(config.headDim)) : tensor;
    return { name: ggufName, dtype, shape, chunks: recodeTensor(inOrder, dtype, recoder) };
  });
  const factors = ropeFactors(config);
  const id = fileType === undefined ? MAIN_FILE_TYPES[mainDType(tensors)] : FILE_TYPES[fileType].id;
  return {
    metadata: metadataOf(model, id),
    tensors: factors === undefined ? tensors : [factorTensor(factors), ...tensors],
  };
}

/** In float32 whatever the others are in, as llama.cpp expects it. */
function factorTensor(factors: readonly number[]): GgufInput {
  const chunks = [bytesOf(Float32Array.from(factors))];
  return { name: ROPE_FACTORS, dtype: 'F32', shape: [factors.length], chunks };
}

/** The format that most numbers have. */
function mainDType(tensors: readonly GgufInput[]): GgmlDType {
  const counts = new Map<GgmlDType, number>();
  for (const { dtype, shape } of tensors)
    counts.set(dtype, (counts.get(dtype) ?? 0) + elementCount(shape));
  return [...counts].reduce((most, other) => (other[1] > most[1] ? other : most))[0];
}

function metadataOf(
  { name, config, tokenizer, templates = new Map(), metadata }: ModelToWrite,
  fileTypeId?: number,
): GgufMetadata {
  const own = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.name', { type: 'string', value: name }],
    ...(fileTypeId === undefined
      ? []
      : ([['general.file_type', { type: 'u32', value: fileTypeId }]] as const)),
    ['general.quantization_version', { type: 'u32', value: QUANTIZATION_VERSION }],
    ...ggufConfigMetadata(config),
    ...(tokenizer instanceof LlamaError
      ? [NO_TOKENIZER]
      : ggufTokenizerMetadata(tokenizer, config.vocabSize)),
    ...ggufTemplateMetadata(templates),
  ]);
  if (metadata === undefined) return own;
  if (tokenizer instanceof LlamaError) {
    for (const key of own.keys()) if (key.startsWith('tokenizer.')) own.delete(key);
  }
  const isKept = (key: string) =>
    key === 'general.name' || !(own.has(key) || ABOUT_THE_FILE.test(key));
  return new Map([...own, ...[...metadata].filter(([key]) => isKept(key))]);
}
