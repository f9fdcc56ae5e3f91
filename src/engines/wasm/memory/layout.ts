/**
 * Where everything lies. wasm32 addresses 4 GiB, a 7B model is larger: its layers are spread over
 * *banks*, each a shared memory of its own with a run of layers, their keys and values, and an
 * arena for activations at the same place in all of them.
 *
 *     0        ARENA            weights                      kvBase           grows as sequences do
 *     |reserved| activations, … | layers first … end − 1 | … | page 0 | page 1 | …
 *
 * The embedding is in the first bank, the last norm and the head are in the last. Nothing is
 * allocated here.
 */

import { LlamaError } from '../../../base/errors.js';
import type { Checkpoint, CheckpointTensor } from '../../../model/checkpoint.js';
import type { LlamaConfig } from '../../../model/config.js';
import { EMBEDDING, LM_HEAD, mapLayer, NORM } from '../../../model/weights.js';
import { attentionScratchBytes } from './attention-scratch.js';
import { type CacheFormat, headPageBytes, PAGE_POSITIONS } from './cache-formats.js';
import { FOUR_GIB, UNIT_BYTES } from './shared-memory.js';
import { blocksOf, type PackedFormat, tileBytes, type WeightFormat } from './weight-formats.js';

/** So many consecutive rows of a sequence share a walk through its keys and values. */
export const ATTENTION_ROWS = 16;
/** And so many key-value heads, at most. */
export const ATTENTION_HEADS = 4;
/** Outputs in a tile of a packed matrix. */
export const TILE = 16;

export const ARENA = UNIT_BYTES; // what lies before stays free: no pointer is 0
/** Weights pass through two buffers of this size on their way in. */
export const STAGING_BYTES = 4 * 2 ** 20;

/**
 * How a weight is stored: packed for `matmul`, or as rows of the checkpoint's numbers for
 * `embedding`, or as a vector of float32.
 */
export type PlaceFormat = PackedFormat | 'rows-f32' | 'rows-f16' | 'rows-bf16' | 'vector';

export interface Place {
  readonly bank: number;
  readonly pointer: number;
  readonly format: PlaceFormat;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface BankLayout {
  readonly firstLayer: number;
  readonly endLayer: number;
  readonly kvBase: number;
  /** Keys and values of one page, in all layers of the bank. */
  readonly pageBytes: number;
}

export interface MemoryLayout {
  readonly banks: readonly BankLayout[];
  readonly places: Readonly<Record<string, Place>>;
  readonly arenaBytes: number;
  readonly cache: CacheFormat;
  /** Bytes per page and layer. */
  readonly layerPageBytes: number;
  readonly maxRows: number;
  readonly maxPages: number;
  readonly threads: number;
  readonly vocabSize: number;
}

export interface LayoutOptions {
  /** Default: as the checkpoint has them. */
  readonly weights?: WeightFormat | undefined;
  readonly cache: CacheFormat;
  /**
   * Positions for which there must be room, over all sequences. Default: `max_position_embeddings`.
   */
  readonly context?: number | undefined;
  /** Rows computed at a time. */
  readonly maxRows: number;
  readonly threads: number;
  /** What one memory holds. Default 4 GiB, all that wasm32 can address. */
  readonly memoryBytes?: number | undefined;
}

const align = (x: number, to: number): number => Math.ceil(x / to) * to;

export function makeLayout(
  config: LlamaConfig,
  checkpoint: Checkpoint,
  options: LayoutOptions,
): MemoryLayout {
  const {
    cache,
    maxRows,
    threads,
    context = config.maxPositionEmbeddings,
    memoryBytes = FOUR_GIB,
  } = options;
  const maxPages = Math.ceil(context / PAGE_POSITIONS);
  const layerPageBytes = config.numKeyValueHeads * headPageBytes(cache, config.headDim);
  const arenaBytes = align(arenaSize(config, cache, maxRows, maxPages, threads), UNIT_BYTES);
  const packing = new Packing(checkpoint, options.weights);

  const places: Record<string, Place> = {};
  const banks: BankLayout[] = [];
  let firstLayer = 0;
  let cursor = ARENA + arenaBytes;
  const place = (items: readonly Item[]) => {
    for (const { name, ...item } of items) {
      places[name] = { bank: banks.length, pointer: cursor, ...item };
      cursor += align(item.bytes, 64);
    }
  };
  const endBank = (endLayer: number) => {
    const kvBase = align(cursor, UNIT_BYTES);
    banks.push({
      firstLayer,
      endLayer,
      kvBase,
      pageBytes: (endLayer - firstLayer) * layerPageBytes,
    });
    firstLayer = endLayer;
    cursor = ARENA + arenaBytes;
  };
  const fits = (items: readonly Item[], layers: number) =>
    cursor + total(items) + layers * maxPages * layerPageBytes + UNIT_BYTES <= memoryBytes;

  place([packing.table(config)]);
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    const items = packing.layer(layer);
    if (!fits(items, layer - firstLayer + 1) && layer > firstLayer) endBank(layer);
    if (!fits(items, 1)) {
      throw new LlamaError(
        'OUT_OF_MEMORY',
        `one layer with ${context} positions takes ${total(items) + maxPages * layerPageBytes} ` +
          `bytes, and a WebAssembly memory holds ${memoryBytes}; ask for a smaller context, or a ` +
          'smaller cache: f16, q8',
      );
    }
    place(items);
  }
  const head = packing.head(config);
  if (!fits(head, config.numHiddenLayers - firstLayer)) endBank(config.numHiddenLayers);
  place(head);
  endBank(config.numHiddenLayers);
  return {
    banks,
    places,
    arenaBytes,
    cache,
    layerPageBytes,
    maxRows,
    maxPages,
    threads,
    vocabSize: config.vocabSize,
  };
}

interface Item {
  readonly name: string;
  readonly format: PlaceFormat;
  readonly shape: readonly number[];
  readonly bytes: number;
}

const total = (items: readonly Item[]): number =>
  items.reduce((sum, { bytes }) => sum + align(bytes, 64), 0);

/** The embedding as rows to look up; as a head, it is packed besides. */
export const TABLE = `table:${EMBEDDING}`;

/**
 * Chooses formats and sizes; a weight that is both embedding and head is stored twice, once for
 * each use.
 */
class Packing {
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
  const own: Partial<Record<typeof dtype, PackedFormat>> = {
    F16: 'f16',
    BF16: 'bf16',
    Q8_0: 'q8_0',
    Q4_0: 'q4_0',
    Q4_K: 'q4_k',
    Q6_K: 'q6_k',
  };
  return own[dtype] ?? 'f32';
}

/**
 * Activations of `maxRows` rows with logits for each, page tables, and while loading two staging
 * buffers and a tile per thread.
 */
function arenaSize(
  config: LlamaConfig,
  cache: CacheFormat,
  maxRows: number,
  maxPages: number,
  threads: number,
): number {
  const { hiddenSize, intermediateSize, vocabSize, numAttentionHeads, numKeyValueHeads, headDim } =
    config;
  const queries = numAttentionHeads * headDim;
  const keys = numKeyValueHeads * headDim;
  const widest = widestInput(config);
  const widths = [
    ...new Array(4).fill(hiddenSize),
    queries,
    queries,
    keys,
    keys,
    intermediateSize,
    intermediateSize,
  ];
  const perRow = [...widths, headDim / 2, headDim / 2, vocabSize].reduce(
    (sum, width) => sum + align(width, TILE) * 4,
    0,
  );
  const quantized = blocksOf(widest) * (64 + 4 + 4);
  const running =
    maxRows * (perRow + quantized + maxPages * 4) + threads * threadScratch(config, cache, maxRows);
  const loading = 2 * STAGING_BYTES + threads * packScratch(config);
  return Math.max(running, loading) + 64 * 64;
}

/** The longest row that is ever multiplied with a matrix. */
export function widestInput({
  hiddenSize,
  intermediateSize,
  numAttentionHeads,
  headDim,
}: LlamaConfig): number {
  return Math.max(hiddenSize, intermediateSize, numAttentionHeads * headDim);
}

/**
 * Of each thread while loading: a tile as float32; packing writes whole vectors of eight numbers.
 */
export function packScratch(config: LlamaConfig): number {
  return TILE * align(widestInput(config), 8) * 4;
}

/** Of each thread: indices of rows, and what attention needs for one group of heads. */
export function threadScratch(config: LlamaConfig, cache: CacheFormat, maxRows: number): number {
  const { headDim, numAttentionHeads, numKeyValueHeads } = config;
  const groupSize = numAttentionHeads / numKeyValueHeads;
  const heads = Math.min(ATTENTION_HEADS, numKeyValueHeads);
  const shape = { headDim, groupSize, heads, rows: ATTENTION_ROWS };
  return align(maxRows * 4, 64) + align(attentionScratchBytes(cache, shape), 64);
}
