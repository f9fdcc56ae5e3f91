import { describe, expect, it } from 'vitest';
import { chatEvents } from '../../../src/server/playground/web/api/chat-events.js';
import {
  addText,
  type Message,
  type Piece,
} from '../../../src/server/playground/web/conversation/conversation.js';
import {
  readConversation,
  writeConversation,
} from '../../../src/server/playground/web/conversation/kept.js';
import {
  NO_ANSWER,
  withEvent,
} from '../../../src/server/playground/web/conversation/with-event.js';
import { Client, serverWith } from '../support.js';

const token = (text: string) => ({ token: text, logprob: -0.5, top_logprobs: [] });
const piece = (text: string, ...tokens: string[]): Piece => ({ text, tokens: tokens.map(token) });

describe('pieces of an answer', () => {
  it('take tokens without text together with the one that ends them', () => {
    const events = [piece('a', 'a'), piece('', 'bytes:\\xe2'), piece('', 'b'), piece('é', 'c')];
    const pieces = events.reduce<readonly Piece[]>(addText, []);
    expect(pieces).toEqual([piece('a', 'a'), piece('é', 'bytes:\\xe2', 'b', 'c')]);
  });

  it('keep a token without text at the end', () => {
    const pieces = [piece('a', 'a'), piece('', '</s>')].reduce<readonly Piece[]>(addText, []);
    expect(pieces).toEqual([piece('a', 'a'), piece('', '</s>')]);
  });
});

async function* of(...data: string[]) {
  yield* data;
}

async function answerTo(data: AsyncIterable<string>) {
  let answer = NO_ANSWER;
  for await (const event of chatEvents(data)) answer = withEvent(answer, event);
  return answer;
}

describe('an answer', () => {
  it('is what the server says that it is when it does not stream', async () => {
    const client = new Client(serverWith());
    const body = {
      messages: [{ role: 'user', content: 'What are the opposites of loud and clean?' }],
      temperature: 0,
      max_tokens: 20,
      logprobs: true,
      top_logprobs: 2,
    };
    const { choices, usage } = await client.ask('/v1/chat/completions', body);
    const more = { return_progress: true, stream_options: { include_usage: true } };
    const events = await client.events('/v1/chat/completions', { ...body, ...more });
    const answer = await answerTo(of(...events.map(each => JSON.stringify(each)), '[DONE]'));
    expect(answer.pieces.map(({ text }) => text).join('')).toBe(choices[0].message.content);
    expect(answer.pieces.flatMap(({ tokens }) => tokens)).toEqual(choices[0].logprobs.content);
    expect(answer).toMatchObject({ end: choices[0].finish_reason, tokens: usage.total_tokens });
  });

  it('counts its tokens when it is stopped, without usage', async () => {
    const progress = { total: 25, cache: 0, processed: 25, time_ms: 1 };
    const choice = { delta: { content: 'a' }, logprobs: { content: [token('a')] } };
    let answer = NO_ANSWER;
    const chunks = [
      { choices: [], prompt_progress: progress },
      { choices: [{ ...choice, finish_reason: null }] },
    ];
    const reading = (async () => {
      for await (const event of chatEvents(of(...chunks.map(each => JSON.stringify(each)))))
        answer = withEvent(answer, event);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'stream_cut_off' });
    expect(answer.tokens).toBe(26);
  });

  it('fails with what the server says in the stream', async () => {
    const error = { error: { message: 'no room', code: 'out_of_memory' } };
    await expect(answerTo(of(JSON.stringify(error)))).rejects.toMatchObject({
      code: 'out_of_memory',
      message: 'no room',
    });
  });
});

describe('a conversation that is kept', () => {
  const messages: readonly Message[] = [
    { role: 'user', text: 'Is it?', documents: [{ name: 'a.txt', text: 'It is.' }] },
    { role: 'assistant', pieces: [piece('It is.', 'It', ' is.')], end: 'stop', tokens: 9 },
  ];

  it('is read as it was written', () => {
    expect(readConversation(writeConversation(messages))).toEqual(messages);
  });

  it.each([
    '',
    'null',
    '{}',
    '{"format":0,"messages":[]}',
    '{"format":1,"messages":[{"role":"assistant","pieces":[]}]}',
    '{"format":1,"messages":[{"role":"user","text":"a"}]}',
    '{"format":1,"messages":[{"role":"user","text":1,"documents":[]}]}',
  ])('is none if it is %s', text => {
    expect(readConversation(text)).toBeUndefined();
  });
});
