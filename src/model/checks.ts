/** What must hold of the rows of a forward pass, and of its logits. */

import { check, LlamaError } from '../base/errors.js';
import type { Tensor } from '../base/tensor.js';
import type { Batch } from './batch.js';
import type { LlamaConfig } from './config.js';
import { describeLimit } from './context.js';
import { EngineSequence } from './engine-sequence.js';
import type { Row, Sequence } from './sequence.js';

/** Every row must be the next position of its sequence, in vocabulary and in reach. */
export function checkRows(
  rows: readonly Row[],
  logitsFor: readonly number[],
  config: LlamaConfig,
): void {
  const next = new Map<Sequence, number>();
  for (const { token, position, sequence } of rows) {
    check(
      Number.isInteger(token) && token >= 0 && token < config.vocabSize,
      'BAD_INPUT',
      () =>
        `token ${token} is not in the vocabulary; ids are integers from 0 to ` +
        `${config.vocabSize - 1}`,
    );
    check(
      position < config.maxPositionEmbeddings,
      'CONTEXT_OVERFLOW',
      () => `position ${position} is beyond the last, and ${describeLimit(config)}`,
    );
    const expected = next.get(sequence) ?? sequence.length;
    check(
      position === expected,
      'BAD_INPUT',
      () =>
        `position ${position} is out of turn: the sequence goes on at ${expected}; truncate it ` +
        'to go back',
    );
    next.set(sequence, expected + 1);
  }
  check(rows.length > 0, 'BAD_INPUT', () => 'a forward pass needs at least one row');
  for (const index of logitsFor) {
    check(
      Number.isInteger(index) && index >= 0 && index < rows.length,
      'BAD_INPUT',
      () => `logitsFor names row ${index}, but rows are numbered 0 to ${rows.length - 1}`,
    );
  }
}

/** The rows, all of whose sequences are `engine`'s own. Throws BAD_INPUT if one is not. */
export function ownRows(rows: readonly Row[], engine: object): readonly Row<EngineSequence>[] {
  for (const { sequence } of rows) {
    check(
      sequence instanceof EngineSequence && sequence.engine === engine,
      'BAD_INPUT',
      () => 'this sequence belongs to another model; create it with the one that computes it',
    );
  }
  return rows as readonly Row<EngineSequence>[];
}

/** `NOT_FINITE` for every sequence that has a logit which is a NaN or an infinity. */
export function reportNotFinite(
  { shape: [, width], data }: Tensor,
  rows: readonly Row<EngineSequence>[],
  logitsFor: readonly number[],
  batch: Batch,
): void {
  logitsFor.forEach((row, i) => {
    const { sequence, position } = rows[row];
    if (batch.failures.has(sequence)) return;
    const token = firstNotFinite(data.subarray(i * width, (i + 1) * width));
    if (token !== -1) batch.fail(sequence, notFinite(token, position, data[i * width + token]));
  });
}

/** As `findIndex`, in an eighth of its time: it is called for every token of a text. */
function firstNotFinite(numbers: Tensor['data']): number {
  for (let i = 0; i < numbers.length; i++) {
    if (!Number.isFinite(numbers[i])) return i;
  }
  return -1;
}

const notFinite = (token: number, position: number, logit: number) =>
  new LlamaError(
    'NOT_FINITE',
    `the logit of token ${token} at position ${position} is ${logit}; ` +
      'the weights hold a NaN, or overflow in this arithmetic: trace the text to see in which ' +
      'tensor it starts (option trace, llama-32k logits --trace FILE)',
  );
