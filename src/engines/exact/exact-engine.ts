/**
 * The exact kernels over a checkpoint, in the calling thread.
 */

import { checkValues } from '../../base/options.js';
import type { Tensor } from '../../base/tensor.js';
import { breather } from '../../model/breathe.js';
import { checkWeights } from '../../model/check-weights.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import type { BatchResult, Engine, ForwardOptions } from '../../model/engine.js';
import type { EngineSequence } from '../../model/engine-sequence.js';
import { forward } from '../../model/forward.js';
import { describePages } from '../../model/page-description.js';
import type { Row } from '../../model/sequence.js';
import { selectTensors, type Tracer } from '../../model/trace.js';
import { weightBytes } from '../../model/weight-bytes.js';
import { type NumericsName, ROUNDINGS } from '../../ops/rounding.js';
import { CheckpointWeights } from './checkpoint-weights.js';
import { ExactKernels } from './exact-kernels.js';
import { ExactSequence } from './exact-sequence.js';
import { EXACT, type ExactOptions } from './options.js';

const FOUR_GIB = 4 * 2 ** 30;

/** The operations of `llama-32k/ops` over a checkpoint, in one thread: the yardstick, not fast. */
export class ExactEngine implements Engine {
  readonly name: string;
  readonly weightBytes: number;
  readonly #config: LlamaConfig;
  readonly #checkpoint: Checkpoint;
  readonly #numerics: NumericsName;
  readonly #weights: CheckpointWeights;

  /**
   * Throws `BAD_OPTION`, or `TENSOR_MISMATCH` if the checkpoint's tensors are not those that
   * `config` describes.
   */
  constructor(config: LlamaConfig, checkpoint: Checkpoint, options: ExactOptions = {}) {
    checkValues(options, EXACT);
    const { numerics = 'f64', keepBytes = FOUR_GIB } = options;
    checkWeights(config, checkpoint);
    this.name = `exact-${numerics}`;
    this.#config = config;
    this.#checkpoint = checkpoint;
    this.weightBytes = weightBytes(config, checkpoint);
    this.#numerics = numerics;
    this.#weights = new CheckpointWeights(
      config,
      checkpoint,
      new ExactKernels(numerics),
      keepBytes,
    );
  }

  /** A new sequence of no positions; its keys and values are arrays that grow with it. */
  createSequence(): ExactSequence {
    return new ExactSequence(this, this.#config, ROUNDINGS[this.#numerics].Numbers);
  }

  describePages(): string {
    const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
    return describePages(this.#config, { engine: this.name, littleEndian });
  }

  async forward(
    rows: readonly Row<EngineSequence>[],
    logitsFor: readonly number[],
    options: ForwardOptions,
  ): Promise<BatchResult> {
    const { signal, onLayer } = options;
    const breathe = breather(signal);
    const betweenLayers = async (done: number, total: number) => {
      if (done > 0) onLayer?.(done, total);
      await breathe();
    };
    const hooks = { tracer: tracerOf(this.#config, options), betweenLayers };
    const kernels = new ExactKernels(this.#numerics, breathe);
    const logits = await forward(kernels, this.#config, this.#weights, rows, logitsFor, hooks);
    return { logits, failures: new Map() };
  }

  /** Closes the checkpoint; nothing can be computed afterwards. */
  close(): Promise<void> {
    return this.#checkpoint.close();
  }
}

function tracerOf(config: LlamaConfig, options: ForwardOptions): Tracer<Tensor> | undefined {
  const { trace, traceNames } = options;
  if (trace === undefined) return undefined;
  const names = new Set(selectTensors(config, traceNames));
  return { wants: name => names.has(name), trace, traceNumbers: trace };
}
