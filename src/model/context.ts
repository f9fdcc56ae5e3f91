/** The limit on positions: how it is raised, and what is said where a text is longer. */

import { checkConfig, type LlamaConfig } from './config.js';

/** The fields that a limit on positions is made of. */
type Limits = Pick<LlamaConfig, 'maxPositionEmbeddings' | 'isLimitRaised'> &
  Partial<Pick<LlamaConfig, 'ropeScaling'>>;

/**
 * `config` with room for `positions`, if that is more than it has: files are often left with their
 * base's `max_position_embeddings` beside a factor, and transformers reads on regardless.
 * @throws {LlamaError} BAD_CONFIG if the last of them cannot be rotated.
 */
export function raiseLimit(config: LlamaConfig, positions: number): LlamaConfig {
  if (positions <= config.maxPositionEmbeddings) return config;
  const raised = { ...config, maxPositionEmbeddings: positions, isLimitRaised: true };
  checkConfig(raised);
  return raised;
}

/** Where the limit comes from, and what to do: the end of every refusal of a longer text. */
export function describeLimit({
  maxPositionEmbeddings: limit,
  isLimitRaised = false,
  ropeScaling,
}: Limits): string {
  if (isLimitRaised) {
    return `the context is ${limit} positions (--context, option context): raise it, or give less`;
  }
  const factor = ropeScaling?.type === 'linear' ? ropeScaling.factor : 1;
  if (factor <= 1) {
    return (
      `the model has ${limit} positions (max_position_embeddings): give less, or raise the limit ` +
      'with --context N (option context), beyond what the model was made for'
    );
  }
  const product = Math.floor(limit * factor);
  return (
    `the model has ${limit} positions (max_position_embeddings), interpolated by the factor ` +
    `${factor}: give less, or, if ${limit} is what the base of this model had, raise the ` +
    `limit to ${limit} × ${factor} = ${product} with --context ${product} (option context)`
  );
}
