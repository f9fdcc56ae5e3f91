/** Asks a server that runs what it computes of a text, in the best way that it has. */
import { check, LlamaError } from '../../base/errors.js';
import type { Asked, AskOptions } from './asked.js';
import { Completions } from './completions.js';
import { Connection, Refusal } from './connection.js';
import { echo } from './echo.js';
import { identify, type Kind } from './identify.js';
import { llamaCpp } from './llama-cpp.js';
import { oneByOne } from './one-by-one.js';
import { orderedPositions } from './positions.js';
import { promptLogprobs } from './prompt-logprobs.js';
import type { Question } from './question.js';
import type { Answer, Way } from './way.js';

const WAYS: Readonly<Record<Kind, readonly Way[]>> = {
  'llama.cpp': [llamaCpp, oneByOne],
  'llama-cpp-python': [echo, oneByOne],
  vLLM: [promptLogprobs, echo, oneByOne],
  'llama-32k': [echo],
  other: [echo, oneByOne],
};

/** After these there may be another way. */
const NOT_THIS_WAY = [400, 404, 405, 422, 500, 501];

/**
 * What the server at `url` says of the tokens that may follow each place of `tokens`, which it is
 * given as they are: no BOS is added.
 *
 * @throws {LlamaError} ENDPOINT_FAILED if it cannot be reached, or does not tell; UNAUTHORIZED for
 * its key; BAD_OPTION and BAD_INPUT for what is no question; or the signal's reason
 */
export async function askEndpoint(
  url: string,
  tokens: readonly number[],
  options: AskOptions,
): Promise<Asked> {
  check(tokens.length > 0, 'BAD_INPUT', () => 'there are no tokens to ask about; give some');
  const { positions, topLogprobs = 20, modelName, ...rest } = options;
  check(Number.isInteger(topLogprobs) && topLogprobs > 0, 'BAD_OPTION', () => {
    return `topLogprobs is ${topLogprobs}; it must be an integer from 1`;
  });
  const ordered = positions && orderedPositions(positions, tokens.length);
  const connection = new Connection(url, rest);
  const server = await identify(connection, modelName);
  const isExact = server.kind === 'llama-32k';
  const tokenOf = (piece: string) => rest.tokenOf(piece, isExact);
  const asking = { positions: ordered, topLogprobs, tokenOf };
  const question = { ...rest, connection, server, tokens, ...asking };
  const { scores, notes } = await answerTo(question);
  return { engine: server.engine, tokens, scores, notes: [...server.notes, ...notes] };
}

async function answerTo(question: Question): Promise<Answer> {
  const completions = new Completions(question);
  const { kind, engine } = question.server;
  const refusals: Refusal[] = [];
  for (const way of WAYS[kind]) {
    try {
      const answer = await way(question, completions);
      if (answer === undefined || answer.scores.length === 0) continue;
      const notes = refusals.map(({ message }) => `refused before: ${message}`);
      return { scores: answer.scores, notes: [...notes, ...answer.notes] };
    } catch (error) {
      if (!(error instanceof Refusal) || !NOT_THIS_WAY.includes(error.status)) throw error;
      refusals.push(error);
    }
  }
  throw (
    refusals.at(-1) ??
    completions.refusal ??
    new LlamaError(
      'ENDPOINT_FAILED',
      `${engine} answers without log-probabilities; start it so that it gives them, or give a ` +
        'file of its logits',
    )
  );
}
