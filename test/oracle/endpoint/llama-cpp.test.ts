import { describe, expect, it } from 'vitest';
import { askEndpoint } from '../../../src/oracle/endpoint/ask.js';
import {
  type Answerer,
  FakeServer,
  type Json,
  likeliestAt,
  logprobAt,
  refusal,
  scoresAt,
  TEXTS,
} from './fake-server.js';

const TOKENS = Array.from({ length: 200 }, (_, i) => i % 50);
const COMPLETION = 'POST /completion';

/** As llama.cpp's server of October 2026 answers, without what `response_fields` leave out. */
function completion({ prompt }: Json): Json {
  const position = prompt.length - 1;
  const described = likeliestAt(position).map(id => ({
    id,
    token: ' five',
    bytes: [32, 102, 105, 118, 101],
    logprob: logprobAt(position, id),
  }));
  return {
    completion_probabilities: [{ ...described[0], top_logprobs: described }],
    tokens_evaluated: prompt.length,
    truncated: false,
  };
}

const llamaCpp =
  (answer: (body: Json) => Json = completion): Answerer =>
  ({ what, body }) => {
    if (what === 'GET /v1/models')
      return { body: { object: 'list', data: [{ id: 'tiny.gguf', owned_by: 'llamacpp' }] } };
    if (what === 'GET /props') return { body: { build_info: 'b6500-abc', total_slots: 1 } };
    return what === COMPLETION ? { body: answer(body) } : undefined;
  };

/** Of these it says nothing of the text's own next token. */
const generatedAt = (position: number) => scoresAt([], position);

describe("llama.cpp's server", () => {
  it('is asked at 64 places, each the beginning of the next, before sampling', async () => {
    await using server = await FakeServer.start(llamaCpp());
    const progress: number[][] = [];
    const options = { ...TEXTS, onProgress: (...at: number[]) => progress.push(at) };
    const { engine, scores, notes } = await askEndpoint(server.url, TOKENS, options);
    expect(engine).toBe(`llama.cpp b6500-abc at ${server.url}`);
    const positions = scores.map(({ position }) => position);
    expect(positions).toHaveLength(64);
    expect([positions[0], positions[63]]).toEqual([0, 199]);
    expect(scores).toEqual(positions.map(generatedAt));
    expect(notes).toEqual(['asked at 64 of 200 positions, each being a request']);
    expect(progress).toEqual(Array.from({ length: 65 }, (_, done) => [done, 64]));
    const bodies = server.bodies(COMPLETION);
    expect(bodies.map(({ prompt }) => prompt)).toEqual(positions.map(p => TOKENS.slice(0, p + 1)));
    expect(bodies[0]).toMatchObject({ n_predict: 1, n_probs: 20, post_sampling_probs: false });
  });

  it('is asked at the positions that are wanted', async () => {
    await using server = await FakeServer.start(llamaCpp());
    const options = { ...TEXTS, positions: [199, 3], topLogprobs: 2 };
    const { scores, notes } = await askEndpoint(server.url, TOKENS, options);
    expect(scores).toEqual([generatedAt(3), generatedAt(199)]);
    expect(notes).toEqual([]);
  });

  it('writes the smallest float32 for a probability of 0, and null for NaN', async () => {
    const unlikely = (body: Json) => {
      const answer = completion(body);
      const [described] = answer.completion_probabilities;
      described.top_logprobs[1].logprob = -3.4028234663852886e38;
      described.top_logprobs.push({ id: 7, token: 'x', bytes: [], logprob: null });
      return answer;
    };
    await using server = await FakeServer.start(llamaCpp(unlikely));
    const { scores, notes } = await askEndpoint(server.url, TOKENS, {
      ...TEXTS,
      positions: [0, 1],
    });
    const [first] = likeliestAt(0);
    expect([...scores[0].logprobs]).toEqual([
      [first, logprobAt(0, first)],
      [7, NaN],
    ]);
    expect(notes).toEqual(['left out: probabilities that it rounds to 0: 2']);
  });

  it.each<[string, (body: Json) => Json, string[]]>([
    [
      'cuts the text',
      body => ({ ...completion(body), truncated: true }),
      ['sent 4 tokens and read 4', 'larger context (-c)'],
    ],
    [
      'reads more',
      body => ({ ...completion(body), tokens_evaluated: 5 }),
      ['sent 4 tokens and read 5'],
    ],
    [
      'is of before December 2024',
      () => ({ completion_probabilities: [{ content: '.', probs: [] }], tokens_evaluated: 4 }),
      ['completion_probabilities[0].top_logprobs', 'take a newer one'],
    ],
  ])('that %s is not believed', async (_, answer, words) => {
    await using server = await FakeServer.start(llamaCpp(answer));
    await expect(
      askEndpoint(server.url, TOKENS, { ...TEXTS, positions: [3] }),
    ).rejects.toMatchObject(refusal('ENDPOINT_FAILED', 'llama.cpp b6500-abc', ...words));
  });
});
