import { afterAll, describe, expect, it } from 'vitest';
import { checkedError } from './answers.js';
import { Client, type Json, Lines, loaded, serverWith } from './support.js';

const lines = new Lines();
const server = serverWith({ log: lines, alias: ['gpt-3.5-turbo'] });
const client = new Client(server);
afterAll(async () => {
  await server.close();
  await loaded.close();
});

const CHAT = '/v1/chat/completions';
const COMPLETIONS = '/v1/completions';
const messages = [{ role: 'user', content: 'Hi' }];
const tool = { type: 'function', function: { name: 'f' } };

/** Endpoint, what is wrong, and what is said of it. */
const WRONG: [path: string, body: unknown, status: number, code: string, param: string | null][] = [
  [COMPLETIONS, '{"prompt":', 400, 'invalid_json', null],
  [COMPLETIONS, '{"prompt":"a","prompt":"b"}', 400, 'invalid_json', null],
  [COMPLETIONS, '', 400, 'invalid_json', null],
  [COMPLETIONS, [], 400, 'invalid_type', null],
  [COMPLETIONS, {}, 400, 'missing_required_parameter', 'prompt'],
  [COMPLETIONS, { prompt: '' }, 400, 'invalid_value', 'prompt'],
  [COMPLETIONS, { prompt: ['a', 1] }, 400, 'invalid_type', 'prompt[1]'],
  [COMPLETIONS, { prompt: [1, 2048] }, 400, 'invalid_value', 'prompt[1]'],
  [COMPLETIONS, { prompt: [[1], [2, 9999]] }, 400, 'invalid_value', 'prompt[1][1]'],
  [COMPLETIONS, { prompt: 'a', model: 'gpt-4' }, 404, 'model_not_found', 'model'],
  [COMPLETIONS, { prompt: 'a', max_tokens: 32_768 }, 400, 'context_length_exceeded', 'prompt'],
  [COMPLETIONS, { prompt: 'a', max_tokens: 0 }, 400, 'invalid_value', 'max_tokens'],
  [
    COMPLETIONS,
    { prompt: 'a', echo: true, logprobs: 1, stream: true },
    400,
    'invalid_value',
    'stream',
  ],
  [COMPLETIONS, { prompt: 'a', temperature: 2.1 }, 400, 'invalid_value', 'temperature'],
  [COMPLETIONS, { prompt: 'a', temperature: '0' }, 400, 'invalid_type', 'temperature'],
  [COMPLETIONS, { prompt: 'a', n: 9 }, 400, 'invalid_value', 'n'],
  [COMPLETIONS, { prompt: 'a', n: 1.5 }, 400, 'invalid_type', 'n'],
  [COMPLETIONS, { prompt: 'a', stop: ['1', '2', '3', '4', '5'] }, 400, 'invalid_value', 'stop'],
  [COMPLETIONS, { prompt: 'a', stop: '' }, 400, 'invalid_value', 'stop'],
  [COMPLETIONS, { prompt: 'a', logprobs: 21 }, 400, 'invalid_value', 'logprobs'],
  [COMPLETIONS, { prompt: 'a', logit_bias: { x: 1 } }, 400, 'invalid_value', 'logit_bias.x'],
  [COMPLETIONS, { prompt: 'a', logit_bias: { 5: 101 } }, 400, 'invalid_value', 'logit_bias.5'],
  [COMPLETIONS, { prompt: 'a', logit_bias: { 9999: 1 } }, 400, 'invalid_value', 'logit_bias'],
  [COMPLETIONS, { prompt: 'a', stop_token_ids: [9999] }, 400, 'invalid_value', 'stop_token_ids'],
  [COMPLETIONS, { prompt: 'a', best_of: 2 }, 400, 'unsupported_parameter', 'best_of'],
  [COMPLETIONS, { prompt: 'a', suffix: 'b' }, 400, 'unsupported_parameter', 'suffix'],
  [COMPLETIONS, { prompt: 'a', typo: 1 }, 400, 'unsupported_parameter', 'typo'],
  [COMPLETIONS, { prompt: 'a', numerics: 'f64' }, 400, 'unsupported_value', 'numerics'],
  [
    COMPLETIONS,
    { prompt: 'a', stream_options: { x: 1 } },
    400,
    'unsupported_parameter',
    'stream_options.x',
  ],
  [CHAT, {}, 400, 'missing_required_parameter', 'messages'],
  [CHAT, { messages: [] }, 400, 'invalid_value', 'messages'],
  [
    CHAT,
    { messages: [{ role: 'user' }] },
    400,
    'missing_required_parameter',
    'messages[0].content',
  ],
  [CHAT, { messages: [{ role: 'tool', content: '' }] }, 400, 'invalid_value', 'messages[0].role'],
  [CHAT, { messages: [{ role: 'system', content: 'a' }] }, 400, 'invalid_value', 'messages'],
  [
    CHAT,
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
    400,
    'invalid_value',
    'messages[0].content[0].type',
  ],
  [CHAT, { messages, tools: [tool] }, 400, 'unsupported_parameter', 'tools'],
  [CHAT, { messages, tool_choice: 'auto' }, 400, 'unsupported_parameter', 'tool_choice'],
  [CHAT, { messages, functions: [tool] }, 400, 'unsupported_parameter', 'functions'],
  [
    CHAT,
    { messages, context_length_exceeded_behavior: 'truncate' },
    400,
    'unsupported_parameter',
    'context_length_exceeded_behavior',
  ],
  [COMPLETIONS, { prompt: 'a', grammar: 'root ::= "a"' }, 400, 'unsupported_parameter', 'grammar'],
  [CHAT, { messages, grammar: 'root ::= "a"' }, 400, 'unsupported_parameter', 'grammar'],
  [CHAT, { messages, safety_model: 'guard' }, 400, 'unsupported_parameter', 'safety_model'],
  [CHAT, { messages, compliance: 'hipaa' }, 400, 'unsupported_parameter', 'compliance'],
  [CHAT, { messages, reasoning: { enabled: true } }, 400, 'unsupported_parameter', 'reasoning'],
  [CHAT, { messages, reasoning_effort: 'low' }, 400, 'unsupported_parameter', 'reasoning_effort'],
  [
    CHAT,
    { messages, chat_template_kwargs: { enable_thinking: false } },
    400,
    'unsupported_parameter',
    'chat_template_kwargs.enable_thinking',
  ],
  [CHAT, { messages, echo: true, logprobs: true, stream: true }, 400, 'invalid_value', 'stream'],
  [CHAT, { messages, max_completion_tokens: 0 }, 400, 'invalid_value', 'max_completion_tokens'],
  ['/tokenize', {}, 400, 'invalid_value', null],
  ['/tokenize', { content: 'a', prompt: 'b' }, 400, 'invalid_value', null],
  ['/detokenize', { tokens: [-1] }, 400, 'invalid_value', 'tokens[0]'],
  ['/v1/trace', { tokens: [] }, 400, 'invalid_value', 'tokens'],
  ['/v1/trace', { tokens: [5000] }, 400, 'invalid_value', 'tokens[0]'],
  ['/v1/trace', { tokens: [1], names: ['x'] }, 400, 'invalid_value', 'names'],
  ['/v1/trace', { tokens: [1], positions: [1] }, 400, 'invalid_value', 'positions[0]'],
  [
    '/v1/trace',
    { tokens: new Array(20_000).fill(1), names: ['*.probabilities'], positions: [0] },
    400,
    'trace_too_large',
    'names',
  ],
  ['/v1/embeddings', {}, 404, 'route_not_found', null],
  ['/v1/nothing', {}, 404, 'route_not_found', null],
];

describe('what is wrong with a request', () => {
  it.each(WRONG)('%s %j is %i %s, about %s', async (path, body, status, code, param) => {
    const response = await client.post(path, body);
    const answer = (await response.json()) as Json;
    const { error } = checkedError(answer);
    expect([response.status, error.code, error.param]).toEqual([status, code, param]);
    const type = status === 404 ? 'not_found_error' : 'invalid_request_error';
    expect(error.type).toBe(type);
    expect(error.message.length).toBeLessThan(700);
    if (code === 'unsupported_parameter') expect(error.message).toMatch(/ is not supported: \w/);
  });

  it('is told with both numbers if the context is too short, exactly and roughly', async () => {
    const long = { prompt: new Array(32_768).fill(5) };
    const exact = ((await (await client.post(COMPLETIONS, long)).json()) as Json).error;
    expect(exact).toMatchObject({ n_prompt_tokens: 32_768, n_ctx: 32_768 });
    const longer = { messages: [{ role: 'user', content: 'lantern '.repeat(200_000) }] };
    const rough = ((await (await client.post(CHAT, longer)).json()) as Json).error;
    expect(rough).toMatchObject({ code: 'context_length_exceeded', n_ctx: 32_768 });
    expect(rough.n_prompt_tokens).toBeGreaterThan(32_768);
  });

  it.each([
    ['PUT', COMPLETIONS, 'POST'],
    ['GET', CHAT, 'POST'],
    ['POST', '/v1/models', 'GET, HEAD'],
    ['DELETE', '/v1/models/tiny-32k', 'GET, HEAD'],
  ])('%s %s is 405, and Allow says %s', async (method, path, allow) => {
    const response = await client.post(path, undefined, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect(((await response.json()) as Json).error.code).toBe('method_not_allowed');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16'])(
    'of type %s is 415',
    async type => {
      const headers = { 'content-type': type };
      const response = await client.post(COMPLETIONS, { prompt: 'a' }, { headers });
      expect(response.status).toBe(415);
    },
  );

  it('is 400 if it is not UTF-8', async () => {
    const body = Buffer.from('{"prompt":"\xe9"}', 'latin1');
    const response = await client.post(COMPLETIONS, '', { body });
    expect([response.status, ((await response.json()) as Json).error.code]).toEqual([
      400,
      'invalid_json',
    ]);
  });

  it('has the id that the client gave, also in the log, which has no word of it', async () => {
    lines.all.length = 0;
    const headers = { 'x-request-id': 'mine-1' };
    const response = await client.post(COMPLETIONS, { prompt: 'lantern', n: 9 }, { headers });
    await response.text();
    expect(response.headers.get('x-request-id')).toBe('mine-1');
    expect(lines.all).toMatchObject([
      { request_id: 'mine-1', path: COMPLETIONS, status: 400, code: 'invalid_value', param: 'n' },
    ]);
    expect(JSON.stringify(lines.all)).not.toContain('lantern');
  });

  it('gets an id of ours where its own could break a line of the log', async () => {
    const response = await client.get('/health', { 'x-request-id': 'a b"' });
    expect(response.headers.get('x-request-id')).toMatch(/^req_[\w-]{36}$/);
  });
});

describe('a body that is too large', () => {
  const small = serverWith({ maxBody: 1 / 1024 }); // 1 KiB
  afterAll(() => small.close());

  it('is 413 by what it announces', async () => {
    const response = await new Client(small).post(COMPLETIONS, { prompt: 'a'.repeat(2000) });
    const { error } = (await response.json()) as Json;
    expect([response.status, error.code, error.max_bytes]).toEqual([413, 'body_too_large', 1024]);
  });

  it('is 413 as soon as it is, if it announces nothing: the rest is not read', async () => {
    let given = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          given += 1;
          controller.enqueue(new Uint8Array(500).fill(32));
        },
      },
      { highWaterMark: 0 },
    );
    const init = { body, duplex: 'half' } as RequestInit;
    const response = await new Client(small).post(COMPLETIONS, '', init);
    expect(response.status).toBe(413);
    expect(given).toBeLessThan(6);
  });
});

describe('--lenient', () => {
  const lenient = serverWith({ lenient: true });
  afterAll(() => lenient.close());

  it('answers, and names what it left out', async () => {
    const body = { prompt: 'Mira', max_tokens: 1, typo: 1, stream_options: { x: 1 } };
    const { warnings, choices } = await new Client(lenient).ask(COMPLETIONS, body);
    expect(choices).toHaveLength(1);
    expect(warnings).toEqual([
      expect.stringMatching(/^stream_options\.x is not supported/),
      expect.stringMatching(/^typo is not supported/),
    ]);
  });

  it('names it in every answer that has a place for it', async () => {
    const client = new Client(lenient);
    for (const [path, body] of [
      ['/tokenize', { content: 'a' }],
      ['/detokenize', { tokens: [5] }],
      ['/apply-template', { messages }],
      [CHAT, { messages, max_tokens: 1 }],
    ] as const) {
      const { warnings } = await client.ask(path, { ...body, typo: 1 });
      expect(warnings, path).toEqual([expect.stringMatching(/^typo is not supported/)]);
    }
    const trace = await client.post('/v1/trace', { tokens: [1], names: ['lm_head'], typo: 1 });
    expect(await trace.text()).toContain('typo is not supported');
  });

  it('still refuses values that are wrong', async () => {
    const response = await new Client(lenient).post(COMPLETIONS, { prompt: 'a', n: 9 });
    expect(response.status).toBe(400);
  });
});
