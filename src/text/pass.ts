/** A forward pass over the rows of several texts. */
import type { Floats } from '../base/tensor.js';
import type { Generation, GenerationStep, TextModel } from './generation.js';
import type { TextRow } from './token-sequence.js';

/** What writing texts needs of a model; `src/model/llama.ts` is one. */
export interface GenerateModel extends TextModel {
  /** Logits [logitsFor.length, V] of the rows that `logitsFor` names. */
  forward(
    rows: readonly TextRow[],
    options: {
      readonly logitsFor: readonly number[];
      readonly signal?: AbortSignal | undefined;
      readonly onLayer?: ((done: number, total: number) => void) | undefined;
    },
  ): Promise<{ readonly data: Floats }>;
}

/** What a pass did for one text. */
export interface Outcome {
  readonly generation: Generation;
  /** The next token; undefined while a prompt goes on, and after an error. */
  readonly step?: GenerationStep | undefined;
  /** Why no token could be chosen for this text; the others go on. */
  readonly error?: unknown;
}

/**
 * Computes rows of `generations` in one pass: of each what it wants next, all together at most
 * `mostRows`, the first ones first. Gives the outcome of each that had room.
 *
 * @throws what the model throws, and `signal.reason`; then no text has moved
 */
export async function advance(
  model: GenerateModel,
  generations: readonly Generation[],
  { mostRows = Infinity, signal }: { mostRows?: number; signal?: AbortSignal | undefined } = {},
): Promise<Outcome[]> {
  signal?.throwIfAborted();
  const rows: TextRow[] = [];
  const logitsFor: number[] = [];
  const taken: Generation[] = [];
  for (const generation of generations) {
    if (rows.length >= mostRows) break;
    rows.push(...generation.rows(mostRows - rows.length));
    if (generation.needsLogits) logitsFor.push(rows.length - 1);
    taken.push(generation);
  }
  const onLayer = (done: number, total: number) => {
    for (const generation of taken) generation.reportLayer(done, total);
  };
  const { data } = await model.forward(rows, { logitsFor, signal, onLayer }); // [L, V]
  signal?.throwIfAborted();

  const { vocabSize } = model.config;
  let used = 0;
  return taken.map(generation => {
    if (!generation.needsLogits) return outcome(generation, undefined);
    used += vocabSize;
    return outcome(generation, data.subarray(used - vocabSize, used));
  });
}

function outcome(generation: Generation, logits: Floats | undefined): Outcome {
  try {
    return { generation, step: generation.accept(logits) };
  } catch (error) {
    return { generation, error };
  }
}
