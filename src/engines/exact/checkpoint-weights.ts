/**
 * The model's weights, fetched when a layer needs them.
 *
 * A model whose decoded weights fit into `keepBytes` is read once and kept. A larger one is
 * streamed: each layer is read, used and let go in every forward pass, so that the 13.5 GB original
 * can be judged on a machine that could never hold it.
 */

import { LlamaError } from '../../base/errors.js';
import { elementCount, type Tensor } from '../../base/tensor.js';
import type { Checkpoint, CheckpointTensor } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import type { ModelWeights } from '../../model/kernels.js';
import { EMBEDDING, type LayerWeights, LM_HEAD, mapLayer, NORM } from '../../model/weights.js';
import type { ExactKernels } from './exact-kernels.js';

export class CheckpointWeights implements ModelWeights<Tensor> {
  readonly #config: LlamaConfig;
  readonly #checkpoint: Checkpoint;
  readonly #kernels: ExactKernels;
  readonly #keep: boolean;
  readonly #kept = new Map<string, Promise<Tensor>>();

  constructor(
    config: LlamaConfig,
    checkpoint: Checkpoint,
    kernels: ExactKernels,
    keepBytes: number,
  ) {
    this.#config = config;
    this.#checkpoint = checkpoint;
    this.#kernels = kernels;
    this.#keep = decodedBytes(checkpoint) <= keepBytes;
  }

  /** One after the other, as they lie in the file. */
  async layer(index: number): Promise<LayerWeights<Tensor>> {
    const names = mapLayer(index, name => name);
    const weights: Record<string, Tensor> = {};
    for (const [field, name] of Object.entries(names)) weights[field] = await this.#load(name);
    return weights as LayerWeights<Tensor>;
  }

  norm(): Promise<Tensor> {
    return this.#load(NORM);
  }

  lmHead(): Promise<Tensor> {
    return this.#load(this.#config.tieWordEmbeddings ? EMBEDDING : LM_HEAD);
  }

  /**
   * A table [≤ V, D] that holds the rows of `tokens`, and where in it each token is: the whole
   * embedding if weights are kept, else only the rows needed.
   */
  async embedding(
    tokens: readonly number[],
  ): Promise<{ table: Tensor; indices: readonly number[] }> {
    if (this.#keep) return { table: await this.#load(EMBEDDING), indices: tokens };
    const distinct = [...new Set(tokens)];
    const width = this.#config.hiddenSize;
    const table = this.#kernels.tensor(distinct.length, width);
    for (const [i, token] of distinct.entries()) {
      const { data } = await this.#kernels.load(this.#tensor(EMBEDDING), token, 1);
      table.data.set(data, i * width);
    }
    const place = new Map(distinct.map((token, i) => [token, i]));
    return { table, indices: tokens.map(token => place.get(token) as number) };
  }

  #load(name: string): Promise<Tensor> {
    if (!this.#keep) return this.#kernels.load(this.#tensor(name));
    let tensor = this.#kept.get(name);
    if (tensor === undefined) {
      tensor = this.#kernels.load(this.#tensor(name));
      this.#kept.set(name, tensor);
      // a read that failed once may succeed the next time
      tensor.catch(() => this.#kept.delete(name));
    }
    return tensor;
  }

  #tensor(name: string): CheckpointTensor {
    const tensor = this.#checkpoint.tensors.get(name);
    if (tensor === undefined)
      throw new LlamaError('TENSOR_MISMATCH', `${this.#checkpoint.name} has no tensor ${name}`);
    return tensor;
  }
}

function decodedBytes({ tensors }: Checkpoint): number {
  let bytes = 0;
  for (const { shape, dtype } of tensors.values())
    bytes += elementCount(shape) * (dtype === 'F64' ? 8 : 4);
  return bytes;
}
