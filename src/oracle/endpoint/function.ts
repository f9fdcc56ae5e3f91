/** A JavaScript function in the place of a server. */
import { check } from '../../base/errors.js';
import type { Floats } from '../../base/tensor.js';
import type { Asked, AskedLogits } from './asked.js';
import { logitsTensor } from './logits.js';
import { allPositions, orderedPositions } from './positions.js';

/**
 * For each position, in this order: all logits, or the log-probabilities of some tokens by their
 * ids.
 */
export type AnswerFunction = (
  tokens: readonly number[],
  positions: readonly number[],
) => Promise<readonly Floats[] | readonly ReadonlyMap<number, number>[]>;

/** How a function is asked. */
export interface FunctionOptions {
  /** What answers. Default "a function". */
  readonly engine?: string | undefined;
  /** Default: all of the text. */
  readonly positions?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws {LlamaError} ENDPOINT_FAILED if it does not answer for every position */
export async function askFunction(
  answer: AnswerFunction,
  tokens: readonly number[],
  options: FunctionOptions = {},
): Promise<Asked | AskedLogits> {
  const { engine = 'a function', signal } = options;
  const asked = options.positions ?? allPositions(tokens.length);
  const positions = orderedPositions(asked, tokens.length);
  const rows = await answer(tokens, positions);
  signal?.throwIfAborted();
  if (!areMaps(rows)) {
    const logits = logitsTensor(rows, positions.length, engine);
    return { engine, tokens, positions, logits, notes: [] };
  }
  const told = rows.filter(row => row.size > 0).length;
  check(told === positions.length && rows.length === told, 'ENDPOINT_FAILED', () => {
    return `${engine} told of ${told} positions, asked about ${positions.length}; give all rows`;
  });
  const scores = positions.map((position, i) => ({ position, logprobs: rows[i] }));
  return { engine, tokens, scores, notes: [] };
}

const areMaps = (
  rows: readonly Floats[] | readonly ReadonlyMap<number, number>[],
): rows is readonly ReadonlyMap<number, number>[] => rows[0] instanceof Map;
