/** An engine with the fault that the property of equal bits is there to find. */
import type { Tensor } from '../../../src/base/tensor.js';
import { CheckpointWeights } from '../../../src/engines/exact/checkpoint-weights.js';
import { ExactEngine } from '../../../src/engines/exact/exact-engine.js';
import { ExactKernels } from '../../../src/engines/exact/exact-kernels.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import type { LlamaConfig } from '../../../src/model/config.js';
import { forward } from '../../../src/model/forward.js';
import { matmul } from '../../../src/ops/matmul.js';
import { ROUNDINGS } from '../../../src/ops/rounding.js';

/** Where there are several rows, the sums of the last one are made from their other end. */
class BackwardsInCompany extends ExactKernels {
  override async matmul(out: Tensor, x: Tensor, weight: Tensor): Promise<void> {
    await super.matmul(out, x, weight);
    const [rows, inner] = x.shape;
    if (rows === 1) return;
    const last = { shape: [1, inner], data: x.data.slice((rows - 1) * inner).reverse() };
    // All of its rows from the last to the first, each from its end to its beginning.
    const reversed = { shape: weight.shape, data: weight.data.slice().reverse() };
    const sums = this.tensor(1, weight.shape[0]);
    matmul(sums, last, reversed, ROUNDINGS.f32);
    out.data.set(sums.data.reverse(), (rows - 1) * sums.data.length);
  }
}

/** Float32, as `ExactEngine` has it, but for the order of those sums. */
export class BackwardsEngine extends ExactEngine {
  readonly #kernels = new BackwardsInCompany('f32');
  readonly #config: LlamaConfig;
  readonly #weights: CheckpointWeights;

  constructor(config: LlamaConfig, checkpoint: Checkpoint) {
    super(config, checkpoint, { numerics: 'f32' });
    this.#config = config;
    this.#weights = new CheckpointWeights(config, checkpoint, this.#kernels, Infinity);
  }

  override async forward(...[rows, logitsFor, { signal }]: Parameters<ExactEngine['forward']>) {
    const betweenLayers = () => signal?.throwIfAborted();
    const own = [this.#kernels, this.#config, this.#weights] as const;
    const logits = await forward(...own, rows, logitsFor, { betweenLayers });
    return { logits, failures: new Map() };
  }
}
