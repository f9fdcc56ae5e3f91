/**
 * The exact kernels' key-value cache: per layer one growing array of keys and one of values,
 * position after position. A fork shares them until one of both writes where the other may have
 * written.
 */

import type { Floats } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { EngineSequence } from '../../model/engine-sequence.js';
import { PAGE_POSITIONS, type PageParts } from '../../model/sequence.js';
import type { Visible } from '../../ops/attention.js';
import type { Rounding } from '../../ops/rounding.js';
import type { Past } from './exact-kernels.js';

/** Of one layer, of a sequence and all forks that have not gone their own way yet. */
interface LayerCache {
  keys: Floats; // [capacity, K·d]
  values: Floats; // [capacity, K·d]
  /** Positions that somebody wrote. */
  filled: number;
  /** Who wrote last, unless it was forked since. */
  owner: ExactSequence | undefined;
  /** From here on positions are the owner's alone. */
  ownedFrom: number;
}

export class ExactSequence extends EngineSequence implements Past {
  readonly isShared = false;
  readonly #config: LlamaConfig;
  readonly #Numbers: Rounding['Numbers'];
  #layers: LayerCache[] = [];

  constructor(engine: object, config: LlamaConfig, Numbers: Rounding['Numbers']) {
    super(engine);
    this.#config = config;
    this.#Numbers = Numbers;
    this.forget(0);
  }

  get pageBytes(): number {
    const { numHiddenLayers } = this.#config;
    const { BYTES_PER_ELEMENT } = this.#layers[0].keys;
    return 2 * numHiddenLayers * PAGE_POSITIONS * this.#width * BYTES_PER_ELEMENT;
  }

  write(layer: number, position: number, keys: Floats, values: Floats): void {
    const cache = this.#makeRoom(layer, position, position + keys.length / this.#width);
    cache.keys.set(keys, position * this.#width);
    cache.values.set(values, position * this.#width);
  }

  /** What the token at `position` may see: everything up to and including itself. */
  visible(layer: number, position: number): Visible {
    const { keys, values } = this.#layers[layer];
    return { keys, values, count: position + 1 };
  }

  protected copy(): ExactSequence {
    const twin = new ExactSequence(this.engine, this.#config, this.#Numbers);
    for (const cache of this.#layers) cache.owner = undefined;
    twin.#layers = [...this.#layers];
    return twin;
  }

  protected take(other: ExactSequence, end: number): void {
    const part = [this.length * this.#width, end * this.#width] as const;
    for (const [layer, { keys, values }] of other.#layers.entries())
      this.write(layer, this.length, keys.subarray(...part), values.subarray(...part));
  }

  protected reserve(end: number): void {
    for (const layer of this.#layers.keys()) this.#makeRoom(layer, this.length, end);
  }

  /** Layer by layer, keys before values. */
  protected partsOf(from: number, end: number): PageParts[] {
    const numbers = PAGE_POSITIONS * this.#width;
    return Array.from({ length: (end - from) / PAGE_POSITIONS }, (_, page) => {
      const start = from * this.#width + page * numbers;
      return this.#layers
        .flatMap(({ keys, values }) => [keys, values])
        .map(x => bytesOf(x.subarray(start, start + numbers)));
    });
  }

  /** What is held of a shorter past is written over. */
  protected forget(length: number): void {
    if (length > 0) return;
    this.#layers = Array.from({ length: this.#config.numHiddenLayers }, () => ({
      keys: new this.#Numbers(0),
      values: new this.#Numbers(0),
      filled: 0,
      owner: this,
      ownedFrom: 0,
    }));
  }

  get #width(): number {
    return this.#config.numKeyValueHeads * this.#config.headDim;
  }

  /** The cache of `layer`, in which positions from … end − 1 are this sequence's alone. */
  #makeRoom(layer: number, from: number, end: number): LayerCache {
    const cache = this.#ownCache(layer, from);
    const needed = end * this.#width;
    if (needed > cache.keys.length) {
      cache.keys = this.#grow(cache.keys, needed);
      cache.values = this.#grow(cache.values, needed);
    }
    cache.filled = end;
    return cache;
  }

  /** The cache of `layer`, with nobody else's positions from `position` on. */
  #ownCache(layer: number, position: number): LayerCache {
    const cache = this.#layers[layer];
    if (cache.owner === this && position >= cache.ownedFrom) return cache;
    if (position >= cache.filled) {
      cache.owner = this;
      cache.ownedFrom = position;
      return cache;
    }
    const end = position * this.#width;
    const own: LayerCache = {
      keys: cache.keys.slice(0, end),
      values: cache.values.slice(0, end),
      filled: position,
      owner: this,
      ownedFrom: 0,
    };
    this.#layers[layer] = own;
    return own;
  }

  #grow(old: Floats, needed: number): Floats {
    const larger = new this.#Numbers(Math.max(needed, 2 * old.length));
    larger.set(old);
    return larger;
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Floats): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
