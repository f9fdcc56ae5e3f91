/** A forward pass over the rows of several texts. */
import type { Floats } from '../base/tensor.js';
import type { Generation, TextModel } from './generation.js';
import type { GenerationStep } from './result.js';
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

/** What a pass over rows of texts gives, and how it is stopped. */
export interface PassOptions {
  /** Which rows' logits to compute, as indices into the rows. */
  readonly logitsFor: readonly number[];
  /** Cancels the pass. */
  readonly signal?: AbortSignal | undefined;
  /** How many layers are done, of how many; what it throws cancels the pass. */
  readonly onLayer?: ((done: number, total: number) => void) | undefined;
}

/** What a pass did for one text. */
export interface Outcome {
  readonly generation: Generation;
  /** The next tokens; none while a prompt goes on, after an error, and once disposed of. */
  readonly steps: readonly GenerationStep[];
  /** Why this text cannot go on, NOT_FINITE for instance; the others do. */
  readonly error?: unknown;
}

export interface AdvanceOptions {
  /** Rows of the pass. Default: as many as are wanted. */
  readonly mostRows?: number;
  /** Rows of each text that it may not come to. Default: as many as it likes. */
  readonly mostProposed?: number;
  /** Cancels the pass. */
  readonly signal?: AbortSignal | undefined;
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
  { mostRows = Infinity, mostProposed = Infinity, signal }: AdvanceOptions = {},
): Promise<Outcome[]> {
  signal?.throwIfAborted();
  const { rows, logitsFor, parts } = collectRows(generations, mostRows, mostProposed);
  if (parts.length === 0) return [];
  const broken = new Map<CachedPositions, unknown>();
  const onLayer = (done: number, total: number) => {
    reportLayer(parts, broken, done, total);
    if (broken.size === parts.length) throw new Error('nobody is left to compute for');
  };
  let result: PassResult;
  try {
    result = await compute(model, rows, { logitsFor, signal, onLayer });
  } catch (error) {
    signal?.throwIfAborted();
    if (broken.size < parts.length) return withdrawProposals(parts, error);
    result = { data: new Float32Array(0), failures: new Map() };
  }
  signal?.throwIfAborted();

  const { vocabSize } = model.config;
  return parts.map(({ generation, sequence, firstLogits, endLogits }) => {
    const mistake = broken.get(sequence);
    if (mistake !== undefined) return { generation, steps: [], error: mistake };
    const error = result.failures.get(sequence);
    if (error !== undefined) return outcomeOfFailure(generation, error);
    const logits = result.data.subarray(firstLogits * vocabSize, endLogits * vocabSize);
    return outcome(generation, logits);
  });
}

/** What a text has in a pass. */
interface Part {
  readonly generation: Generation;
  readonly sequence: CachedPositions;
  /** Which rows of the logits are for it: often one, and none while its prompt goes on. */
  readonly firstLogits: number;
  readonly endLogits: number;
}

function collectRows(generations: readonly Generation[], mostRows: number, mostProposed: number) {
  const rows: TextRow[] = [];
  const logitsFor: number[] = [];
  const parts: Part[] = [];
  for (const generation of generations) {
    if (rows.length >= mostRows) break;
    const wanted = generation.rows(mostRows - rows.length, mostProposed);
    if (wanted.length === 0) continue;
    const firstLogits = logitsFor.length;
    for (const row of generation.logitsFor) logitsFor.push(rows.length + row);
    rows.push(...wanted);
    const endLogits = logitsFor.length;
    parts.push({ generation, sequence: wanted[0].sequence, firstLogits, endLogits });
  }
  return { rows, logitsFor, parts };
}

/** Tells each text; one whose callback throws is `broken`, and told nothing more. */
function reportLayer(
  parts: readonly Part[],
  broken: Map<CachedPositions, unknown>,
  done: number,
  total: number,
): void {
  for (const { generation, sequence } of parts) {
    if (broken.has(sequence)) continue;
    try {
      generation.reportLayer(done, total);
    } catch (error) {
      broken.set(sequence, error);
    }
  }
}

/** Logits [logitsFor.length, V], and which sequences have none. */
interface PassResult {
  readonly data: Floats;
  readonly failures: ReadonlyMap<CachedPositions, Error>;
}

async function compute(
  model: GenerateModel,
  rows: readonly TextRow[],
  options: PassOptions,
): Promise<PassResult> {
  if (model.forwardBatch === undefined) {
    const { data } = await model.forward(rows, options);
    return { data, failures: new Map() };
  }
  const { logits, failures } = await model.forwardBatch(rows, options);
  return { data: logits.data, failures };
}

/** One that was disposed of in the meantime has neither steps nor error. */
function outcome(generation: Generation, logits: Floats): Outcome {
  if (generation.isDone) return { generation, steps: [] };
  try {
    return { generation, steps: generation.accept(logits) };
  } catch (error) {
    return { generation, steps: [], error };
  }
}

/** What was only proposed can be the reason; if anything was, the text tries again without. */
function outcomeOfFailure(generation: Generation, error: unknown): Outcome {
  return generation.withdraw() ? { generation, steps: [] } : { generation, steps: [], error };
}

/** The same for a pass that failed as a whole, in which no text has moved. */
function withdrawProposals(parts: readonly Part[], error: unknown): Outcome[] {
  const withdrawn = parts.filter(({ generation }) => generation.withdraw());
  if (withdrawn.length === 0) throw error;
  return parts.map(({ generation }) => ({ generation, steps: [] }));
}
