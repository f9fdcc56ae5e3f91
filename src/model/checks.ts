/** What must hold of the rows of a forward pass, and of its logits. */

import { check, LlamaError } from '../base/errors.js';
import type { Tensor } from '../base/tensor.js';
import type { LlamaConfig } from './config.js';
import type { Row, Sequence } from './kernels.js';

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
      () =>
        `position ${position} is beyond this model's ${config.maxPositionEmbeddings} ` +
        'positions; shorten the text',
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

/** Throws `NOT_FINITE` if a logit is a NaN or an infinity. */
export function checkFinite(
  logits: Tensor,
  rows: readonly Row[],
  logitsFor: readonly number[],
): void {
  const bad = logits.data.findIndex(x => !Number.isFinite(x));
  if (bad === -1) return;
  const { position } = rows[logitsFor[Math.floor(bad / logits.shape[1])]];
  throw new LlamaError(
    'NOT_FINITE',
    `the logit of token ${bad % logits.shape[1]} at position ${position} is ` +
      `${logits.data[bad]}; the weights hold a NaN, or overflow in this arithmetic: pass a trace ` +
      'to see in which tensor it starts',
  );
}
