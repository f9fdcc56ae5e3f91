/**
 * A model that is ready to run: a configuration and an engine. The model itself is `forward.ts` and
 * `block.ts`.
 */

import { onAbort } from '../base/abort.js';
import { check, LlamaError } from '../base/errors.js';
import { checkOptions } from '../base/options.js';
import type { Tensor } from '../base/tensor.js';
import { AskedRows } from './asked-rows.js';
import { Batch } from './batch.js';
import { checkRows, ownRows, reportNotFinite } from './checks.js';
import type { LlamaConfig } from './config.js';
import { type BatchResult, type Engine, FORWARD, type ForwardOptions } from './engine.js';
import type { EngineSequence } from './engine-sequence.js';
import type { Row, Sequence } from './sequence.js';
import { isOfLogits } from './trace.js';

/** A model that is ready to run: its configuration, and the engine that computes it. */
export class Llama implements AsyncDisposable {
  readonly config: LlamaConfig;
  readonly engine: Engine;
  /** Passes that have not ended. */
  readonly #batches = new Set<Batch>();
  #closed = false;

  constructor(config: LlamaConfig, engine: Engine) {
    this.config = config;
    this.engine = engine;
  }

  /** An empty sequence, for this model only. Throws `DISPOSED` after `close`. */
  createSequence(): Sequence {
    this.#checkOpen();
    return this.engine.createSequence();
  }

  /**
   * Logits [logitsFor.length, V]: row i scores every token as the successor of
   * `rows[logitsFor[i]]`.
   *
   * Each row must be the next position of its sequence. Rejects with `BAD_INPUT`, `BAD_OPTION`,
   * `CONTEXT_OVERFLOW`, `NOT_FINITE`, `OUT_OF_MEMORY`, `DISPOSED`, the signal's reason, or what a
   * callback threw; then no sequence has got a position. To go on with the others where one fails:
   * `forwardBatch`.
   */
  async forward(rows: readonly Row[], options: ForwardOptions = {}): Promise<Tensor> {
    const { logits, failures } = await this.#pass(rows, options, true);
    for (const failure of failures.values()) throw failure;
    return logits;
  }

  /**
   * The same for rows of sequences that have nothing to do with each other: what ends one of them
   * (see `BatchResult`) does not end the others. To cancel one of them in the middle of the pass,
   * dispose of it; to cancel it and keep what it held before, truncate it afterwards.
   */
  forwardBatch(rows: readonly Row[], options: ForwardOptions = {}): Promise<BatchResult> {
    return this.#pass(rows, options, false);
  }

  /** Cancels all passes, with `DISPOSED`; ends workers and closes the checkpoint. */
  close(): Promise<void> {
    this.#closed = true;
    for (const batch of this.#batches) batch.stop(closedError());
    return this.engine.close();
  }

  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** `together`: one that fails keeps the others from getting their positions. */
  async #pass(
    rows: readonly Row[],
    options: ForwardOptions,
    together: boolean,
  ): Promise<BatchResult> {
    this.#checkOpen();
    const {
      logitsFor = [rows.length - 1],
      signal,
      onLayer,
      trace,
      traceNames,
    } = checkOptions(options, FORWARD);
    const own = ownRows(rows, this.engine);
    checkRows(own, logitsFor, this.config);
    signal?.throwIfAborted();
    const batch = new Batch(own);
    this.#batches.add(batch);
    const off = onAbort(signal, () => batch.stop(signal?.reason));
    let succeeded = false;
    try {
      const asked = new AskedRows(logitsFor);
      const told: typeof trace =
        trace && ((name, x) => trace(name, isOfLogits(name) ? asked.repeat(x) : x));
      const hooks = {
        signal: batch.signal,
        onLayer: batch.guard(onLayer),
        trace: batch.guard(told),
        traceNames,
      };
      const logits = await this.#compute(batch, own, asked.distinct, hooks);
      succeeded = !(together && batch.failures.size > 0);
      return { logits: asked.repeat(logits), failures: batch.failures };
    } finally {
      off();
      this.#batches.delete(batch);
      batch.end(succeeded);
    }
  }

  /** The logits of all that did not fail. */
  async #compute(
    batch: Batch,
    rows: readonly Row<EngineSequence>[],
    logitsFor: readonly number[],
    hooks: ForwardOptions,
  ): Promise<Tensor> {
    let result: BatchResult | undefined;
    try {
      result = await this.engine.forward(rows, logitsFor, hooks);
      batch.signal.throwIfAborted();
    } catch (error) {
      if (this.#closed) throw closedError();
      if (!batch.isAbandoned) throw error;
    }
    batch.failDisposed();
    const { logits, failures } = result ?? this.#nothing(logitsFor.length);
    for (const [sequence, error] of failures) batch.fail(sequence as EngineSequence, error);
    reportNotFinite(logits, rows, logitsFor, batch);
    batch.clearFailed(logits, i => rows[logitsFor[i]].sequence);
    return logits;
  }

  /** Of a pass that nobody waited for to its end. */
  #nothing(rows: number): BatchResult {
    const { vocabSize } = this.config;
    const data = new Float32Array(rows * vocabSize);
    return { logits: { shape: [rows, vocabSize], data }, failures: new Map() };
  }

  #checkOpen(): void {
    check(!this.#closed, 'DISPOSED', () => closedError().message);
  }
}

const closedError = () => new LlamaError('DISPOSED', 'this model was closed; load it again');
