import { expect, it } from 'vitest';
import { type AnswerFunction, askFunction } from '../../../src/oracle/endpoint/function.js';
import { refusal } from './fake-server.js';

const TOKENS = [1, 40, 50];
const ask = (answer: AnswerFunction, options = {}) => askFunction(answer, TOKENS, options);

it('a function gives logits of the positions that are asked about', async () => {
  const answer: AnswerFunction = async (tokens, positions) =>
    positions.map(position => Float32Array.of(position, tokens[position]));
  expect(await ask(answer, { positions: [2, 1, 2], engine: 'mine' })).toEqual({
    engine: 'mine',
    tokens: TOKENS,
    positions: [1, 2],
    logits: { shape: [2, 2], data: Float64Array.of(1, 40, 2, 50) },
    notes: [],
  });
});

it('a function gives log-probabilities of some tokens', async () => {
  const rows = TOKENS.map(token => new Map([[token, -1]]));
  const scores = rows.map((logprobs, position) => ({ position, logprobs }));
  expect(await ask(async () => rows)).toMatchObject({ engine: 'a function', scores });
});

it('a function that does not answer for every position is not believed', async () => {
  const failing: [AnswerFunction, string][] = [
    [async () => [], '0 rows of logits for 3 positions'],
    [async () => [new Map([[1, -1]])], 'told of 1 positions, asked about 3'],
    [async () => TOKENS.map(() => new Map()), 'told of 0 positions'],
    [async () => [Float32Array.of(1), Float32Array.of(1, 2), Float32Array.of(1)], '2 logits in'],
  ];
  for (const [answer, words] of failing)
    await expect(ask(answer)).rejects.toMatchObject(refusal('ENDPOINT_FAILED', words));
  await expect(ask(async () => [], { positions: [3] })).rejects.toMatchObject(
    refusal('BAD_INPUT', 'position 3'),
  );
});

it('who cancels a function gets the reason', async () => {
  const reason = new Error('enough');
  const asking = ask(async () => [], { signal: AbortSignal.abort(reason) });
  await expect(asking).rejects.toBe(reason);
});
