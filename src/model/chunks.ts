/**
 * A long text is read in chunks: several rows in one pass are faster than passes of one row, and
 * the memory for activations grows with the rows of a pass. The logits do not depend on where the
 * text is cut.
 */
import type { Floats } from '../base/tensor.js';
import type { LlamaConfig } from './config.js';
import type { ForwardOptions } from './engine.js';
import type { Row, Sequence } from './sequence.js';

/** Tokens per forward pass where nobody says otherwise. */
export const CHUNK_SIZE = 512;

/** The rows that continue `sequence` with `tokens`. */
export function rowsAfter<S extends Pick<Sequence, 'length'>>(
  sequence: S,
  tokens: readonly number[],
): { token: number; position: number; sequence: S }[] {
  return tokens.map((token, i) => ({ token, position: sequence.length + i, sequence }));
}

/**
 * How many tokens of a chunk are done when `layer` of `layers` are: a chunk can take minutes, so
 * its layers are shown as the part of its tokens that they are.
 */
export function tokensDone(chunkLength: number, layer: number, layers: number): number {
  return Math.floor((chunkLength * layer) / layers);
}

/** What reading needs of a model; `llama.ts` is one. */
export interface ReadableModel {
  readonly config: Pick<LlamaConfig, 'vocabSize'>;
  /** A new sequence of no positions. */
  createSequence(): Sequence;
  /** Logits [logitsFor.length, V] of the rows that `logitsFor` names. */
  forward(rows: readonly Row[], options: ForwardOptions): Promise<{ readonly data: Floats }>;
}

export interface ReadOptions extends Pick<ForwardOptions, 'signal' | 'trace' | 'traceNames'> {
  /** Where to put what is read. Default: a new sequence, which is disposed of at the end. */
  readonly sequence?: Sequence | undefined;
  /** Tokens per forward pass. Default 512. */
  readonly chunkSize?: number | undefined;
  /** After which tokens, by their index, logits are wanted. Default: after all. */
  readonly wants?: ((index: number) => boolean) | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Logits [V] that score what comes after token `index` of the text. */
export interface Reading {
  readonly index: number;
  readonly logits: Floats;
}

/**
 * Reads `tokens` chunk by chunk; yields the logits that are wanted, in order. Rejects as
 * `Llama.forward` does. Whoever leaves early has the chunks read so far in the sequence.
 */
export async function* readTokens(
  model: ReadableModel,
  tokens: readonly number[],
  options: ReadOptions = {},
): AsyncGenerator<Reading, void, undefined> {
  const { chunkSize = CHUNK_SIZE, wants = () => true, onProgress } = options;
  const { signal, trace, traceNames } = options;
  const sequence = options.sequence ?? model.createSequence();
  const { vocabSize } = model.config;
  try {
    for (let start = 0; start < tokens.length; start += chunkSize) {
      const rows = rowsAfter(sequence, tokens.slice(start, start + chunkSize));
      const logitsFor = [...rows.keys()].filter(i => wants(start + i));
      const onLayer = (layer: number, layers: number) =>
        onProgress?.(start + tokensDone(rows.length, layer, layers), tokens.length);
      const asked = { logitsFor, signal, onLayer, trace, traceNames };
      const { data } = await model.forward(rows, asked);
      for (const [i, row] of logitsFor.entries()) {
        const logits = data.subarray(i * vocabSize, (i + 1) * vocabSize); // [V]
        yield { index: start + row, logits };
      }
    }
  } finally {
    if (options.sequence === undefined) sequence.dispose();
  }
}
