/**
 * Where everything lies. wasm32 addresses 4 GiB, a 7B model is larger: its layers are spread over
 * *banks*, each a shared memory of its own with a run of layers, their keys and values, and an
 * arena for activations at the same place in all of them.
 *
 *     0        64 KiB           arena.end                    kvBase           grows as sequences do
 *     |reserved| activations, … | layers first … end − 1 | … | page 0 | page 1 | …
 *
 * The embedding is in the first bank, the last norm and the head are in the last. Nothing is
 * allocated here.
 */

import { alignTo } from '../../../base/align.js';
import { LlamaError } from '../../../base/errors.js';
import type { Checkpoint } from '../../../model/checkpoint.js';
import type { LlamaConfig } from '../../../model/config.js';
import { PAGE_POSITIONS } from '../../../model/sequence.js';
import { type ArenaLayout, layOutArena } from './arena-layout.js';
import { type CacheFormat, headPageBytes } from './cache-formats.js';
import { FOUR_GIB, LINE_BYTES, UNIT_BYTES } from './shared-memory.js';
import type { PlaceFormat, WeightFormat } from './weight-formats.js';
import { type Item, Packing, totalBytes } from './weight-items.js';

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
  readonly arena: ArenaLayout;
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

/** @throws {LlamaError} OUT_OF_MEMORY if a memory cannot hold one layer with so many positions. */
export function makeLayout(
  config: LlamaConfig,
  checkpoint: Checkpoint,
  options: LayoutOptions,
): MemoryLayout {
  const { cache, maxRows, threads, memoryBytes = FOUR_GIB } = options;
  const { context = config.maxPositionEmbeddings } = options;
  const maxPages = Math.ceil(context / PAGE_POSITIONS);
  const layerPageBytes = config.numKeyValueHeads * headPageBytes(cache, config.headDim);
  const needs = { cache, maxRows, maxPages, threads };
  const arena = layOutArena(config, needs);
  const banks = new Banks({ arena, layerPageBytes, context, memoryBytes });
  const packing = new Packing(checkpoint, options.weights);

  banks.place([packing.table(config)]);
  for (let layer = 0; layer < config.numHiddenLayers; layer++)
    banks.placeLayer(layer, packing.layer(layer));
  banks.placeHead(config.numHiddenLayers, packing.head(config));
  const { finished, places } = banks;
  return {
    banks: finished,
    places,
    arena,
    layerPageBytes,
    ...needs,
    vocabSize: config.vocabSize,
  };
}

/** Of keys and values of 64 positions, in all banks together. */
export function pageBytesOf({ banks }: Pick<MemoryLayout, 'banks'>): number {
  return banks.reduce((sum, { pageBytes }) => sum + pageBytes, 0);
}

interface BankLimits {
  readonly arena: ArenaLayout;
  readonly layerPageBytes: number;
  readonly context: number;
  readonly memoryBytes: number;
}

/** Puts weights one after another into banks, and begins another bank when one is full. */
class Banks {
  readonly finished: BankLayout[] = [];
  readonly places: Record<string, Place> = {};
  readonly #weightsBase: number;
  readonly #layerPageBytes: number;
  readonly #context: number;
  readonly #memoryBytes: number;
  #firstLayer = 0;
  #cursor: number;

  constructor({ arena, layerPageBytes, context, memoryBytes }: BankLimits) {
    this.#weightsBase = alignTo(arena.end, UNIT_BYTES);
    this.#layerPageBytes = layerPageBytes;
    this.#context = context;
    this.#memoryBytes = memoryBytes;
    this.#cursor = this.#weightsBase;
  }

  place(items: readonly Item[]): void {
    for (const { name, ...item } of items) {
      this.places[name] = { bank: this.finished.length, pointer: this.#cursor, ...item };
      this.#cursor += alignTo(item.bytes, LINE_BYTES);
    }
  }

  placeLayer(layer: number, items: readonly Item[]): void {
    if (!this.#fits(items, layer - this.#firstLayer + 1) && layer > this.#firstLayer)
      this.#finish(layer);
    if (!this.#fits(items, 1)) {
      const bytes = totalBytes(items) + this.#pageBytes(1);
      throw new LlamaError(
        'OUT_OF_MEMORY',
        `one layer with ${this.#context} positions takes ${bytes} bytes, and a ` +
          `WebAssembly memory holds ${this.#memoryBytes}; ask for a smaller context, or a ` +
          'smaller cache: f16, q8',
      );
    }
    this.place(items);
  }

  /** The last of all, after `layers` layers. */
  placeHead(layers: number, items: readonly Item[]): void {
    if (!this.#fits(items, layers - this.#firstLayer)) this.#finish(layers);
    this.place(items);
    this.#finish(layers);
  }

  /** Whether there is room for `items` and for the pages of `layers` layers. */
  #fits(items: readonly Item[], layers: number): boolean {
    const needed = totalBytes(items) + this.#pageBytes(layers);
    return this.#cursor + needed + UNIT_BYTES <= this.#memoryBytes;
  }

  /** Of all pages in `layers` layers. */
  #pageBytes(layers: number): number {
    return layers * Math.ceil(this.#context / PAGE_POSITIONS) * this.#layerPageBytes;
  }

  #finish(endLayer: number): void {
    this.finished.push({
      firstLayer: this.#firstLayer,
      endLayer,
      kvBase: alignTo(this.#cursor, UNIT_BYTES),
      pageBytes: (endLayer - this.#firstLayer) * this.#layerPageBytes,
    });
    this.#firstLayer = endLayer;
    this.#cursor = this.#weightsBase;
  }
}
