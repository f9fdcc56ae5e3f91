/** What is said where a text is longer than its model allows: every refusal says the same. */

import { check } from '../base/errors.js';
import { type LlamaConfig, positionLimit } from './config.js';

/** The fields that a limit on positions is made of. */
export type PositionLimits = Pick<LlamaConfig, 'context' | 'maxPositionEmbeddings' | 'ropeFactor'>;

/**
 * Checks that `positions` are no more than there are.
 * @param what what needs them, for the message: "the prompt has 5000 tokens"
 * @throws {LlamaError} CONTEXT_OVERFLOW, naming the limit, where it comes from, how to raise it.
 */
export function checkPositions(
  what: () => string,
  positions: number,
  config: PositionLimits,
): void {
  check(
    positions <= positionLimit(config),
    'CONTEXT_OVERFLOW',
    () => `${what()}, and ${describeLimit(config)}`,
  );
}

/** The limit on positions as a sentence goes on: why it is what it is, and what to do. */
export function describeLimit(config: PositionLimits): string {
  const { context, maxPositionEmbeddings: own, ropeFactor } = config;
  if (context !== undefined && context !== own) {
    return (
      `the context is ${context} positions, as --context (option context) says; ` +
      'raise it, or shorten the text'
    );
  }
  const product =
    ropeFactor > 1
      ? `; its positions are interpolated by the factor ${ropeFactor}, and where ` +
        `max_position_embeddings is left at its base's, ${own} × ${ropeFactor} = ` +
        `${own * ropeFactor} is what it can read`
      : '';
  const most = ropeFactor > 1 ? Math.floor(own * ropeFactor) : 'N';
  return (
    `the model has ${own} positions (max_position_embeddings)${product}. Shorten the text, or ` +
    `raise the limit: --context ${most} (option context)`
  );
}
