import { describe, expect, it } from 'vitest';
import { askEndpoint } from '../../../src/oracle/endpoint/ask.js';
import { FakeServer, type Json, refusal, scoresAt, TEXTS } from './fake-server.js';
import { vllm } from './vllm.js';

const TOKENS = [1, 40, 50, 60];
const COMPLETIONS = 'POST /v1/completions';

describe('vLLM', () => {
  it('tells of all places in one request, by token id', async () => {
    await using server = await FakeServer.start(vllm());
    const asked = await askEndpoint(`${server.url}/v1/`, TOKENS, { ...TEXTS, topLogprobs: 2 });
    expect(asked).toEqual({
      engine: `vLLM 0.32.0 at ${server.url}`,
      tokens: TOKENS,
      scores: TOKENS.map((_, position) => scoresAt(TOKENS, position)),
      notes: [],
    });
    expect(server.bodies(COMPLETIONS)).toEqual([
      {
        model: 'm',
        prompt: TOKENS,
        max_tokens: 1,
        temperature: 0,
        logprobs: 2,
        prompt_logprobs: 2,
        return_tokens_as_token_ids: true,
      },
    ]);
  });

  it('is sent no more of the text than the positions need', async () => {
    await using server = await FakeServer.start(vllm());
    const options = { ...TEXTS, positions: [2, 0, 2], modelName: 'lora' };
    const { scores } = await askEndpoint(server.url, TOKENS, options);
    // the token after the last place is not sent, so nothing is said of it
    expect(scores).toEqual([scoresAt(TOKENS, 0), scoresAt(TOKENS.slice(0, 3), 2)]);
    const [body] = server.bodies(COMPLETIONS);
    expect(body).toMatchObject({ model: 'lora', prompt: TOKENS.slice(0, 3), logprobs: 20 });
  });

  it.each([
    ['echo', ['prompt_logprobs'], 2],
    ['one by one', ['prompt_logprobs', 'echo'], 1 + 3 + TOKENS.length],
  ])('is asked by %s where it refuses the better ways', async (_, refuses, requests) => {
    await using server = await FakeServer.start(vllm(...refuses));
    const { scores, notes } = await askEndpoint(server.url, TOKENS, TEXTS);
    const isWhole = !refuses.includes('echo');
    const read = (position: number) => (isWhole ? TOKENS : TOKENS.slice(0, position + 1));
    expect(scores).toEqual(TOKENS.map((_, position) => scoresAt(read(position), position)));
    expect(notes).toHaveLength(refuses.length);
    expect(notes[0]).toContain('refused before: POST http');
    expect(notes[0]).toContain('no prompt_logprobs here');
    expect(server.bodies(COMPLETIONS)).toHaveLength(requests);
  });

  it('that answers of other tokens, or more, is not believed', async () => {
    const change = (to: (rows: Json[]) => Json[]) =>
      FakeServer.start(asking => {
        const reply = vllm()(asking);
        const choice = (reply as Json)?.body.choices?.[0];
        if (choice) choice.prompt_logprobs = to(choice.prompt_logprobs);
        return reply;
      });
    await using other = await change(rows => [null, rows[2], rows[1], rows[3]]);
    await using longer = await change(rows => [null, ...rows]);
    await expect(askEndpoint(other.url, TOKENS, TEXTS)).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', 'vLLM 0.32.0', 'another token', 'position 1'),
    );
    await expect(askEndpoint(longer.url, TOKENS, TEXTS)).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', 'sent 4 tokens', 'answers of 5'),
    );
  });
});
