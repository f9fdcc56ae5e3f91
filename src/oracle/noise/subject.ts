/** The model that somebody else's is compared with, in float64. */
import type { Tensor } from '../../base/tensor.js';
import { CheckpointWeights } from '../../engines/exact/checkpoint-weights.js';
import { ExactKernels } from '../../engines/exact/exact-kernels.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import type { ModelWeights } from '../../model/kernels.js';
import { ArrayPast } from '../run/array-past.js';
import { type Setup, stepsOf } from '../run/setup.js';
import { inType } from './typed-checkpoint.js';
import type { DeclaredType } from './types.js';

/** Of weights, decoded, that are kept from one run to the next. */
const KEPT_BYTES = 8 * 2 ** 30;

export class Subject {
  readonly config: LlamaConfig;
  readonly #kernels = new ExactKernels('f64');
  readonly #weights: ModelWeights<Tensor>;

  /** The weights are those of the declared type. */
  constructor(config: LlamaConfig, checkpoint: Checkpoint, type: DeclaredType) {
    this.config = config;
    const typed = inType(checkpoint, type);
    this.#weights = new CheckpointWeights(config, typed, this.#kernels, KEPT_BYTES);
  }

  /** It and a text, for one run. */
  setup(tokens: readonly number[]): Setup {
    return {
      config: this.config,
      weights: this.#weights,
      kernels: this.#kernels,
      steps: stepsOf(tokens),
      past: new ArrayPast(this.config, tokens.length),
    };
  }
}
