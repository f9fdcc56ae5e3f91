/**
 * A model that is ready to run: a configuration and an engine. The model itself is `forward.ts` and
 * `block.ts`.
 */

import { check } from '../base/errors.js';
import type { Tensor } from '../base/tensor.js';
import { checkFinite, checkRows } from './checks.js';
import type { LlamaConfig } from './config.js';
import type { Engine, ForwardOptions } from './engine.js';
import type { Row, Sequence } from './kernels.js';

export class Llama implements AsyncDisposable {
  readonly config: LlamaConfig;
  readonly engine: Engine;
  /** Sequences that are in a pass at the moment. */
  readonly #busy = new WeakSet<Sequence>();

  constructor(config: LlamaConfig, engine: Engine) {
    this.config = config;
    this.engine = engine;
  }

  createSequence(): Sequence {
    return this.engine.createSequence();
  }

  /**
   * Logits [logitsFor.length, V]: row i scores every token as the successor of
   * `rows[logitsFor[i]]`.
   *
   * Each row must be the next position of its sequence. Rejects with `BAD_INPUT`,
   * `CONTEXT_OVERFLOW`, `NOT_FINITE`, or the signal's reason.
   */
  async forward(rows: readonly Row[], options: ForwardOptions = {}): Promise<Tensor> {
    const { logitsFor = [rows.length - 1] } = options;
    checkRows(rows, logitsFor, this.config);
    const sequences = new Set(rows.map(({ sequence }) => sequence));
    for (const sequence of sequences) {
      check(
        !this.#busy.has(sequence),
        'BAD_INPUT',
        () => 'a sequence can be in one forward pass at a time; wait for the other one',
      );
    }
    for (const sequence of sequences) this.#busy.add(sequence);
    try {
      const logits = await this.engine.forward(rows, logitsFor, options);
      checkFinite(logits, rows, logitsFor);
      return logits;
    } finally {
      for (const sequence of sequences) this.#busy.delete(sequence);
    }
  }

  /** Ends workers and closes the checkpoint. */
  close(): Promise<void> {
    return this.engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
