/**
 * Rows through the workers: in as many passes as they need, and what comes of each.
 */

import { LlamaError } from '../../base/errors.js';
import type { BatchResult, ForwardOptions } from '../../model/engine.js';
import type { EngineSequence } from '../../model/engine-sequence.js';
import type { Row } from '../../model/sequence.js';
import type { MemoryLayout } from './memory/layout.js';
import type { WasmSequence } from './memory/paged-sequence.js';
import { PassTrace } from './pass-trace.js';
import type { Control } from './threads/control.js';
import { type Answer, type Done, type PassJob, tooLargeIn } from './workers/messages.js';
import type { Pool } from './workers/pool.js';

export class Passes {
  readonly #layout: MemoryLayout;
  readonly #pool: Pool;
  readonly #control: Control;

  constructor(layout: MemoryLayout, pool: Pool, control: Control) {
    this.#layout = layout;
    this.#pool = pool;
    this.#control = control;
  }

  /**
   * What `forward` of the engine returns. The rows' sequences hold the engine: it is not forgotten
   * before this is settled.
   */
  async compute(
    rows: readonly Row<WasmSequence>[],
    logitsFor: readonly number[],
    options: ForwardOptions,
  ): Promise<BatchResult> {
    const trace = new PassTrace(options, this.#layers, logitsFor);
    this.#pool.checkAlive();
    try {
      return await this.#computeAll(rows, logitsFor, options, trace);
    } finally {
      trace.tell();
    }
  }

  /** In as many passes as the rows need. */
  async #computeAll(
    own: readonly Row<WasmSequence>[],
    logitsFor: readonly number[],
    { signal, onLayer }: ForwardOptions,
    trace: PassTrace,
  ): Promise<BatchResult> {
    const failures = prepare(own);
    const { vocabSize, maxRows } = this.#layout;
    const logits = new Float32Array(logitsFor.length * vocabSize);
    const passes = Math.ceil(own.length / maxRows);
    for (let pass = 0; pass < passes; pass++) {
      const part = rowsOfPart(own, pass * maxRows, (pass + 1) * maxRows, failures);
      const wanted = wantedOf(part, logitsFor);
      const progress = (done: number, total: number) =>
        onLayer?.(pass * total + done, passes * total);
      const { logits: computed, traced = [] } = await this.#computePart(
        part.map(row => own[row]),
        wanted.map(({ place }) => place),
        failures,
        { signal, progress, trace: trace.names },
      );
      const wantedRows = wanted.map(({ i }) => logitsFor[i]);
      trace.take(traced, part, wantedRows, Math.min(own.length, (pass + 1) * maxRows));
      wanted.forEach(({ i }, j) => {
        logits.set(computed.subarray(j * vocabSize, (j + 1) * vocabSize), i * vocabSize);
      });
    }
    return { logits: { shape: [logitsFor.length, vocabSize], data: logits }, failures };
  }

  /** Logits of rows `logitsFor`. Adds to `failures` the sequences whose keys are no numbers. */
  async #computePart(
    rows: readonly Row<WasmSequence>[],
    logitsFor: readonly number[],
    failures: Failures,
    { signal, progress, trace }: PassHooks,
  ): Promise<PassResult> {
    signal?.throwIfAborted();
    if (rows.length === 0) return { logits: new Float32Array(0) };
    const sequences = [...new Set(rows.map(({ sequence }) => sequence))];
    const job: PassJob = {
      kind: 'pass',
      tokens: rows.map(({ token }) => token),
      positions: rows.map(({ position }) => position),
      sequences: rows.map(({ sequence }) => sequences.indexOf(sequence)),
      pageTables: sequences.map(({ pages }) => pages),
      logitsFor,
      trace,
    };
    const answers = await this.#run(job, signal, progress);
    sequences.forEach((sequence, which) => {
      const tooLarge = tooLargeIn(answers, which);
      if (tooLarge > 0) failures.set(sequence, notStored(tooLarge, rows, sequence));
    });
    progress(this.#layers, this.#layers);
    return leaderOf(answers);
  }

  /** Progress is told, and cancelling heard, from when the workers begin. */
  async #run(
    job: PassJob,
    signal: AbortSignal | undefined,
    onLayer: (done: number, total: number) => void,
  ): Promise<readonly Answer[]> {
    const cancel = () => this.#control.cancel();
    let watch: ReturnType<typeof setInterval> | undefined;
    try {
      const answers = await this.#pool.run(job, () => {
        watch = setInterval(() => onLayer(this.#control.layersDone, this.#layers), 100);
        signal?.addEventListener('abort', cancel);
        if (signal?.aborted) cancel();
      });
      if (answers.some(({ kind }) => kind === 'cancelled'))
        throw signal?.reason ?? new Error('cancelled');
      return answers;
    } finally {
      clearInterval(watch);
      signal?.removeEventListener('abort', cancel);
    }
  }

  get #layers(): number {
    return this.#layout.banks[this.#layout.banks.length - 1].endLayer;
  }
}

interface PassHooks {
  readonly signal: AbortSignal | undefined;
  readonly progress: (done: number, total: number) => void;
  /** The names of the tensors to trace. */
  readonly trace: readonly string[];
}

/** What the thread that reads results has read. */
type PassResult = Pick<Done, 'traced'> & { readonly logits: Float32Array };

function leaderOf(answers: readonly Answer[]): PassResult {
  return answers.flatMap(answer =>
    answer.kind === 'done' && answer.logits ? [{ ...answer, logits: answer.logits }] : [],
  )[0];
}

type Failures = Map<EngineSequence, LlamaError>;

/** Room for the positions of `rows`; the sequences for which there is none. */
function prepare(rows: readonly Row<WasmSequence>[]): Failures {
  const failures: Failures = new Map();
  const lengths = new Map(rows.map(({ sequence, position }) => [sequence, position + 1]));
  for (const [sequence, length] of lengths) {
    try {
      sequence.prepare(length);
    } catch (error) {
      if (!(error instanceof LlamaError)) throw error;
      failures.set(sequence, error);
    }
  }
  return failures;
}

/** Which of rows `start` … `end − 1` are still wanted. */
function rowsOfPart(
  rows: readonly Row<WasmSequence>[],
  start: number,
  end: number,
  failures: Failures,
): number[] {
  const numbers = rows.slice(start, end).map((_, i) => start + i);
  return numbers.filter(row => {
    const { sequence } = rows[row];
    return !sequence.isDisposed && !failures.has(sequence);
  });
}

/** Which of `logitsFor` are rows of `part`: their number `i`, and the place in `part`. */
function wantedOf(part: readonly number[], logitsFor: readonly number[]) {
  const places = new Map(part.map((row, place) => [row, place]));
  return logitsFor
    .map((row, i) => ({ place: places.get(row), i }))
    .filter((x): x is { place: number; i: number } => x.place !== undefined);
}

function notStored(
  tooLarge: number,
  rows: readonly Row<WasmSequence>[],
  sequence: WasmSequence,
): LlamaError {
  const positions = rows.filter(row => row.sequence === sequence).map(({ position }) => position);
  return new LlamaError(
    'NOT_FINITE',
    `${tooLarge} keys or values of a pass over positions ${positions[0]} to ${positions.at(-1)} ` +
      'are no f16 numbers: 65520 or more, or NaN; load with cache f32 or q8',
  );
}
