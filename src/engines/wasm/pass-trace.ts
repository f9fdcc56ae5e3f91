/** What the passes of one call of `forward` traced, told as if it had been one pass. */
import type { ForwardOptions } from '../../model/engine.js';
import { JoinedTrace, placeRows } from '../../model/joined-trace.js';
import { isOfLogits, selectTensors, type Trace } from '../../model/trace.js';
import type { Traced } from './workers/messages.js';

export class PassTrace {
  /** Of the tensors to trace. */
  readonly names: readonly string[];
  readonly #trace: Trace | undefined;
  readonly #joined = new JoinedTrace();
  /** Which of the rows asked for the logits traced so far are. */
  readonly #places: number[] = [];

  /** Throws BAD_OPTION for a name that a model of so many layers does not have. */
  constructor({ trace, traceNames }: ForwardOptions, numHiddenLayers: number) {
    this.#trace = trace;
    this.names = trace === undefined ? [] : selectTensors({ numHiddenLayers }, traceNames);
  }

  /** What a pass traced, and which of the rows asked for its logits are. */
  take(traced: readonly Traced[], places: readonly number[]): void {
    for (const { name, ...tensor } of traced) this.#joined.trace(name, tensor);
    this.#places.push(...places);
  }

  /** Also when a pass has failed: then it ends with what the ones before it traced. */
  tell(): void {
    if (this.#trace === undefined) return;
    for (const [name, tensor] of this.#joined.tensors())
      this.#trace(name, isOfLogits(name) ? placeRows(tensor, this.#places) : tensor);
  }
}
