/** What is stored of a checkpoint, in which formats, and how many bytes it takes. */
import { alignTo } from '../../../base/align.js';
import { LlamaError } from '../../../base/errors.js';
import type { Checkpoint, CheckpointTensor } from '../../../model/checkpoint.js';
import type { LlamaConfig } from '../../../model/config.js';
import { EMBEDDING, LM_HEAD, mapLayer, NORM } from '../../../model/weights.js';
import { LINE_BYTES } from './shared-memory.js';
import {
  isBlockFormat,
  type PackedFormat,
  type PlaceFormat,
  TILE,
  tileBytes,
  type WeightFormat,
} from './weight-formats.js';

/** A weight as it is to be stored. */
export interface Item {
  readonly name: string;
  readonly format: PlaceFormat;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** With each beginning at a cache line. */
export function totalBytes(items: readonly Item[]): number {
  return items.reduce((sum, { bytes }) => sum + alignTo(bytes, LINE_BYTES), 0);
}

/** The embedding as rows to look up; as a head, it is packed besides. */
export const TABLE = `table:${EMBEDDING}`;

/**
 * Chooses formats and sizes; a weight that is both embedding and head is stored twice, once for
 * each use.
 */
export class Packing {
  readonly #checkpoint: Checkpoint;
  readonly #format: WeightFormat | undefined;

  constructor(checkpoint: Checkpoint, format: WeightFormat | undefined) {
    this.#checkpoint = checkpoint;
    this.#format = format;
  }

  table({ vocabSize, hiddenSize }: LlamaConfig): Item {
    const native = nativeFormat(this.#tensor(EMBEDDING));
    const format = native === 'f16' || native === 'bf16' ? (`rows-${native}` as const) : 'rows-f32';
    const bytes = vocabSize * hiddenSize * (format === 'rows-f32' ? 4 : 2);
    return { name: TABLE, format, shape: [vocabSize, hiddenSize], bytes };
  }

  layer(layer: number): Item[] {
    return Object.values(mapLayer(layer, name => this.#item(name)));
  }

  head({ tieWordEmbeddings }: LlamaConfig): Item[] {
    return [
      this.#item(NORM),
      { ...this.#item(tieWordEmbeddings ? EMBEDDING : LM_HEAD), name: LM_HEAD },
    ];
  }

  #item(name: string): Item {
    const tensor = this.#tensor(name);
    const { shape } = tensor;
    if (shape.length === 1) return { name, format: 'vector', shape, bytes: shape[0] * 4 };
    const format = this.#format ?? nativeFormat(tensor);
    return { name, format, shape, bytes: Math.ceil(shape[0] / TILE) * tileBytes(format, shape[1]) };
  }

  #tensor(name: string): CheckpointTensor {
    const tensor = this.#checkpoint.tensors.get(name);
    if (tensor === undefined)
      throw new LlamaError('TENSOR_MISMATCH', `${this.#checkpoint.name} has no tensor ${name}`);
    return tensor;
  }
}

/**
 * What holds the numbers of a tensor as they are: its own format if there are kernels for it, else
 * float32.
 */
function nativeFormat({ dtype }: CheckpointTensor): PackedFormat {
  if (dtype === 'F16') return 'f16';
  if (dtype === 'BF16') return 'bf16';
  const own = dtype.toLowerCase();
  return isBlockFormat(own) ? own : 'f32';
}
