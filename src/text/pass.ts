/** A forward pass over the rows of several texts. */
import type { Floats } from '../base/tensor.js';
import type { Generation, GenerationStep, TextModel } from './generation.js';
import type { CachedPositions, TextRow } from './token-sequence.js';

/** What writing texts needs of a model; `src/model/llama.ts` is one. */
export interface GenerateModel extends TextModel {
  /** Logits [logitsFor.length, V] of the rows that `logitsFor` names. */
  forward(rows: readonly TextRow[], options: PassOptions): Promise<{ readonly data: Floats }>;
  /** The same, but that what ends one sequence does not end the others. */
  forwardBatch?(
    rows: readonly TextRow[],
    options: PassOptions,
  ): Promise<{
    readonly logits: { readonly data: Floats };
    readonly failures: ReadonlyMap<CachedPositions, Error>;
  }>;
}

interface PassOptions {
  readonly logitsFor: readonly number[];
  readonly signal?: AbortSignal | undefined;
  readonly onLayer?: ((done: number, total: number) => void) | undefined;
}

/** What a pass did for one text. */
export interface Outcome {
  readonly generation: Generation;
  /** The next token; undefined while a prompt goes on, and after an error. */
  readonly step?: GenerationStep | undefined;
  /** Why this text cannot go on, NOT_FINITE for instance; the others do. */
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
  const taken: { generation: Generation; sequence: CachedPositions }[] = [];
  for (const generation of generations) {
    if (rows.length >= mostRows) break;
    const wanted = generation.rows(mostRows - rows.length);
    if (wanted.length === 0) continue;
    rows.push(...wanted);
    if (generation.needsLogits) logitsFor.push(rows.length - 1);
    taken.push({ generation, sequence: wanted[0].sequence });
  }
  const onLayer = (done: number, total: number) => {
    for (const { generation } of taken) generation.reportLayer(done, total);
  };
  const { data, failures } = await compute(model, rows, { logitsFor, signal, onLayer });
  signal?.throwIfAborted();

  const { vocabSize } = model.config;
  let used = 0;
  return taken.map(({ generation, sequence }) => {
    const logits = generation.needsLogits ? data.subarray(used, used + vocabSize) : undefined;
    used += logits?.length ?? 0;
    const error = failures.get(sequence);
    return error === undefined ? outcome(generation, logits) : { generation, error };
  });
}

/** Logits [logitsFor.length, V], and which sequences have none. */
async function compute(
  model: GenerateModel,
  rows: readonly TextRow[],
  options: PassOptions,
): Promise<{ data: Floats; failures: ReadonlyMap<CachedPositions, Error> }> {
  if (model.forwardBatch === undefined) {
    const { data } = await model.forward(rows, options);
    return { data, failures: new Map() };
  }
  const { logits, failures } = await model.forwardBatch(rows, options);
  return { data: logits.data, failures };
}

function outcome(generation: Generation, logits: Floats | undefined): Outcome {
  try {
    return { generation, step: generation.accept(logits) };
  } catch (error) {
    return { generation, error };
  }
}
