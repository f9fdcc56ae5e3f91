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
  readonly #logitsFor: readonly number[];
  /** Which rows were traced, and of which the logits were. */
  readonly #rows: number[] = [];
  readonly #lastRows: number[] = [];
  /** Rows before this one were computed, unless their sequence had failed. */
  #end = 0;

  /** Throws BAD_OPTION for a name that a model of so many layers does not have. */
  constructor(
    { trace, traceNames }: ForwardOptions,
    numHiddenLayers: number,
    logitsFor: readonly number[],
  ) {
    this.#trace = trace;
    this.#logitsFor = logitsFor;
    this.names = trace === undefined ? [] : selectTensors({ numHiddenLayers }, traceNames);
  }

  /** What a pass over `rows`, with logits of `lastRows`, traced; all before `end` are done now. */
  take(
    traced: readonly Traced[],
    rows: readonly number[],
    lastRows: readonly number[],
    end: number,
  ): void {
    for (const { name, ...tensor } of traced) this.#joined.trace(name, tensor);
    this.#rows.push(...rows);
    this.#lastRows.push(...lastRows);
    this.#end = end;
  }

  /**
   * Rows whose sequence had failed before they were computed are NaN. Also told when a pass has
   * failed: then it ends with what the ones before it traced.
   */
  tell(): void {
    if (this.#trace === undefined) return;
    const all = Array.from({ length: this.#end }, (_, row) => row);
    const last = this.#logitsFor.filter(row => row < this.#end);
    for (const [name, tensor] of this.#joined.tensors())
      this.#trace(
        name,
        isOfLogits(name)
          ? placeRows(tensor, this.#lastRows, last)
          : placeRows(tensor, this.#rows, all),
      );
  }
}
