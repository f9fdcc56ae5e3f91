/**
 * Llama, whole: tokens in, logits out.
 *
 *   x      = E[tokens]
 *   x      = block₀(x), block₁(x), …
 *   logits = Whead · rmsnorm(x)
 *
 * A forward pass takes rows: (token, position, sequence) triples. A prompt is many rows of one sequence, a decoding step one row of
 * each of many sequences, and any mixture is allowed; there is no second code path. Each row's result depends on its own sequence alone.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { checkWeights } from '../checkpoint/weights.js';
import type { LlamaConfig } from '../config.js';
import { check, LlamaError } from '../errors.js';
import { ExactKernels } from '../kernels/exact.js';
import type { Kernels, Row, Sequence } from '../kernels/kernels.js';
import { ropeFrequencies } from '../ops/rope.js';
import type { Tensor } from '../tensor.js';
import { block, type Pass } from './block.js';
import { breather } from './breathe.js';
import { createRunState } from './run-state.js';
import type { Trace } from './trace.js';
import { Weights } from './weights.js';

export interface ForwardOptions {
  /** Which rows' logits to compute, as indices into the rows; the last one if not given. */
  readonly logitsFor?: readonly number[];
  /** Checked before every layer; a cancelled pass leaves all sequences as they were. */
  readonly signal?: AbortSignal | undefined;
  readonly trace?: Trace;
  /** After each layer: how many are done, of how many. */
  readonly onLayer?: (done: number, total: number) => void;
}

export interface LlamaOptions {
  /** Default: `new ExactKernels('f64')`. */
  readonly kernels?: Kernels;
  /** Weights are kept in memory if, decoded, they take no more than this; else each pass streams them. Default 4 GiB. */
  readonly keepBytes?: number;
}

const FOUR_GIB = 4 * 2 ** 30;

export class Llama {
  readonly config: LlamaConfig;
  readonly kernels: Kernels;
  private readonly checkpoint: Checkpoint;
  private readonly weights: Weights;
  private readonly frequencies: Float32Array; // [d/2]

  /** Throws `TENSOR_MISMATCH` if the checkpoint's tensors are not those that `config` describes. */
  constructor(config: LlamaConfig, checkpoint: Checkpoint, options: LlamaOptions = {}) {
    checkWeights(config, checkpoint);
    this.config = config;
    this.kernels = options.kernels ?? new ExactKernels();
    this.checkpoint = checkpoint;
    this.weights = new Weights(config, checkpoint, this.kernels, options.keepBytes ?? FOUR_GIB);
    this.frequencies = ropeFrequencies(config.headDim, config.ropeTheta, config.ropeFactor);
  }

  createSequence(): Sequence {
    return this.kernels.createSequence(this.config);
  }

  /** Logits [logitsFor.length, V]: row i scores every token as the successor of `rows[logitsFor[i]]`. */
  async forward(rows: readonly Row[], options: ForwardOptions = {}): Promise<Tensor> {
    const { logitsFor = [rows.length - 1], signal, trace, onLayer } = options;
    checkRows(rows, logitsFor, this.config);
    const breathe = breather(signal);
    const { kernels, config, weights } = this;
    const state = createRunState(kernels, config, rows.length);
    const pass: Pass = { kernels, config, rows, state, trace };

    const { table, indices } = await weights.embedding(rows.map(row => row.token));
    kernels.embedding(state.residual, table, indices); // [R, D]
    trace?.('model.embed_tokens', state.residual);

    const positions = rows.map(row => row.position);
    kernels.ropeTable(state.cosines, state.sines, positions, this.frequencies); // [R, d/2]
    for (let layer = 0; layer < config.numHiddenLayers; layer++) {
      await breathe();
      block(pass, layer, await weights.layer(layer));
      onLayer?.(layer + 1, config.numHiddenLayers);
    }

    await breathe();
    const logits = await this.head(selectRows(kernels, state.residual, logitsFor), trace);
    checkFinite(logits, rows, logitsFor);
    kernels.commit(rows);
    return logits;
  }

  /** Closes the checkpoint. */
  close(): Promise<void> {
    return this.checkpoint.close();
  }

  private async head(x: Tensor, trace: Trace | undefined): Promise<Tensor> {
    const logits = this.kernels.tensor(x.shape[0], this.config.vocabSize);
    if (x.shape[0] === 0) return logits; // all chunks of a prompt but the last: no need to read the weights
    this.kernels.rmsnorm(x, x, await this.weights.norm(), this.config.rmsNormEps);
    trace?.('model.norm', x);
    this.kernels.matmul(logits, x, await this.weights.lmHead()); // [R, V]
    trace?.('lm_head', logits);
    return logits;
  }
}

/** The chosen rows of x [R, D] as a tensor of their own. */
function selectRows(kernels: Kernels, x: Tensor, chosen: readonly number[]): Tensor {
  const width = x.shape[1];
  const selected = kernels.tensor(chosen.length, width);
  chosen.forEach((row, i) => {
    selected.data.set(x.data.subarray(row * width, (row + 1) * width), i * width);
  });
  return selected;
}

/** Every row must be the next position of its sequence, in vocabulary and in reach. */
function checkRows(rows: readonly Row[], logitsFor: readonly number[], config: LlamaConfig): void {
  const next = new Map<Sequence, number>();
  for (const { token, position, sequence } of rows) {
    check(
      Number.isInteger(token) && token >= 0 && token < config.vocabSize,
      'BAD_INPUT',
      () => `token ${token} is not in the vocabulary; ids are integers from 0 to ${config.vocabSize - 1}`,
    );
    check(
      position < config.maxPositionEmbeddings,
      'CONTEXT_OVERFLOW',
      () => `position ${position} is beyond this model's ${config.maxPositionEmbeddings} positions; shorten the text`,
    );
    const expected = next.get(sequence) ?? sequence.length;
    check(
      position === expected,
      'BAD_INPUT',
      () => `position ${position} is out of turn: the sequence goes on at ${expected}; truncate it to go back`,
    );
    next.set(sequence, expected + 1);
  }
  check(rows.length > 0, 'BAD_INPUT', () => 'a forward pass needs at least one row');
  for (const index of logitsFor) {
    check(
      Number.isInteger(index) && index >= 0 && index < rows.length,
      'BAD_INPUT',
      () => `logitsFor names row ${index}, but rows are numbered 0 to ${rows.length - 1}`,
    );
  }
}

function checkFinite(logits: Tensor, rows: readonly Row[], logitsFor: readonly number[]): void {
  const bad = logits.data.findIndex(x => !Number.isFinite(x));
  if (bad === -1) return;
  const { position } = rows[logitsFor[Math.floor(bad / logits.shape[1])]];
  throw new LlamaError(
    'NOT_FINITE',
    `the logit of token ${bad % logits.shape[1]} at position ${position} is ${logits.data[bad]}; ` +
      'the weights hold a NaN, or overflow in this arithmetic: pass a trace to see in which tensor it starts',
  );
}
