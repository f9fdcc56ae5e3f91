import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { askEndpoint } from '../../../src/oracle/endpoint/ask.js';
import { Connection } from '../../../src/oracle/endpoint/connection.js';
import { type Answerer, FakeServer, type Reply, refusal, TEXTS } from './fake-server.js';
import { vllm } from './vllm.js';

const KEY = 'sk-"very"%secret';
const TOKENS = [1, 40, 50];

/** vLLM, of which the first answers to completions are others. */
function firstly(...replies: (Reply | 'silence')[]): Answerer {
  const left = [...replies];
  return asking => (asking.what.startsWith('POST') ? left.shift() : undefined) ?? vllm()(asking);
}

const ask = (server: FakeServer, options: object = {}) =>
  askEndpoint(server.url, TOKENS, { ...TEXTS, ...options });

const failure = async (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    () => expect.unreachable('it did not fail'),
    error => error,
  );

describe('a server that is busy', () => {
  it.each([429, 503])('with %i is asked again, as late as it wants', async status => {
    const busy = { status, headers: { 'retry-after': '0' }, body: 'busy' };
    await using server = await FakeServer.start(firstly(busy, busy));
    const start = performance.now();
    expect((await ask(server)).scores).toHaveLength(3);
    expect(performance.now() - start).toBeLessThan(900); // without Retry-After it would be 3 s
    expect(server.bodies('POST /v1/completions')).toHaveLength(3);
  });

  it('for too long is given up', async () => {
    const busy = { status: 503, headers: { 'retry-after': '0' }, body: '{"error": "Loading"}' };
    await using server = await FakeServer.start(firstly(...Array(9).fill(busy)));
    await expect(ask(server)).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', 'HTTP 503: {"error": "Loading"}', 'try again later'),
    );
    expect(server.bodies('POST /v1/completions')).toHaveLength(6);
    const hours = { status: 429, headers: { 'retry-after': '7200' }, body: '' };
    await using later = await FakeServer.start(firstly(hours));
    await expect(ask(later)).rejects.toMatchObject(refusal('ENDPOINT_FAILED', '429: nothing'));
  });
});

describe('what goes wrong', () => {
  const long = `a\n ${'b'.repeat(300)}`;

  it.each<[string, Reply | 'silence', string[]]>([
    ['a failure of its own', { status: 502, body: long }, ['HTTP 502: a bbb', 'own log']],
    ['what is not JSON', { body: '<html>' }, ['this is not JSON: <html>', 'address of a server']],
    ['no answer', 'silence', ['no answer within 0.2 s', 'a shorter text']],
  ])(
    '%s is told with the address, the beginning of the answer and a next step',
    async (_, reply, words) => {
      await using server = await FakeServer.start(firstly(reply));
      const error = await failure(ask(server, { timeoutMs: 200 }));
      expect(error).toMatchObject(
        refusal('ENDPOINT_FAILED', `POST ${server.url}/v1/completions`, ...words),
      );
      expect((error as Error).message.match(/b{9,}/)?.[0].length ?? 0).toBeLessThan(200);
    },
  );

  it('nobody there', async () => {
    const server = await FakeServer.start(vllm());
    const { url } = server;
    await server[Symbol.asyncDispose]();
    await expect(askEndpoint(url, TOKENS, TEXTS)).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', `GET ${url}/v1/models`, 'ECONNREFUSED', 'a server that runs?'),
    );
  });

  it('no API of completions', async () => {
    await using server = await FakeServer.start(() => undefined);
    await expect(ask(server)).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', 'HTTP 404', 'address of a server with a completions API?'),
    );
  });

  it.each(['http://127.0.0.2:9/v1?key=1', '/elsewhere', undefined])(
    'a redirect to %s is not followed, whatever it would be sent',
    async location => {
      const headers = location === undefined ? {} : { location };
      await using server = await FakeServer.start(firstly({ status: 307, headers, body: '' }));
      const target = location?.replace(/\?.*/, '') ?? 'nowhere';
      await expect(ask(server, { apiKey: 'k' })).rejects.toMatchObject(
        refusal('ENDPOINT_FAILED', 'redirects to', `${target}; give that address`),
      );
      expect(server.bodies('POST /v1/completions')).toHaveLength(1);
    },
  );

  it.each<[string, string, string]>([
    ['127.0.0.1:8000', 'BAD_OPTION', 'such as http://'],
    ['file:///tmp/x', 'BAD_OPTION', 'such as http://'],
    ['http://me:sk-secret@host', 'BAD_OPTION', 'a key as apiKey'],
    ['http://host/v1?key=sk-secret', 'BAD_OPTION', 'give the address as http://host/v1,'],
    ['sk-secret@host', 'BAD_OPTION', '"…host" is no address'],
  ])('%s asks nobody', async (url, code, words) => {
    const error = await failure(askEndpoint(url, TOKENS, TEXTS));
    expect(error).toMatchObject(refusal(code, words));
    expect((error as Error).message).not.toContain('sk-secret');
  });

  it.each<[string, object, readonly number[], string, string]>([
    ['no tokens', {}, [], 'BAD_INPUT', 'no tokens'],
    ['no positions', { positions: [] }, TOKENS, 'BAD_INPUT', 'name one'],
    ['a position that is not there', { positions: [3] }, TOKENS, 'BAD_INPUT', '3 is not in'],
    ['none of the likeliest', { topLogprobs: 0 }, TOKENS, 'BAD_OPTION', 'topLogprobs is 0'],
    ['a key with a newline', { apiKey: 'sk\nx' }, TOKENS, 'BAD_OPTION', 'apiKey'],
  ])('%s asks nobody', async (_, options, tokens, code, words) => {
    const asking = askEndpoint('http://127.0.0.1:9', tokens, { ...TEXTS, ...options });
    await expect(asking).rejects.toMatchObject(refusal(code, words));
  });
});

describe('the key', () => {
  it('is sent as a bearer token, also to find out who is there', async () => {
    await using server = await FakeServer.start(vllm());
    await ask(server, { apiKey: KEY });
    const sent = server.asked.map(({ headers }) => headers.authorization);
    expect(sent).toEqual(server.asked.map(() => `Bearer ${KEY}`));
    await ask(server);
    expect(server.asked.at(-1)?.headers.authorization).toBeUndefined();
  });

  it.each([400, 401, 403, 404, 500, 502, 200])(
    'is in no error, even if an answer of %i quotes it in any way, also where it is cut',
    async status => {
      const said = ` ${KEY} ${JSON.stringify(KEY)} ${encodeURIComponent(KEY)}`;
      const quoting = { status, body: `${'x'.repeat(190)}${KEY} no JSON ${said}` };
      for (const body of [quoting.body, said]) {
        await using server = await FakeServer.start(firstly(...Array(20).fill({ status, body })));
        const shown = inspect(await failure(ask(server, { apiKey: KEY })), { depth: 9 });
        expect(shown).toContain(`${server.url}/v1/completions`);
        for (const part of [KEY, 'very', 'sk-']) expect(shown).not.toContain(part);
      }
    },
  );

  it('is in no note', async () => {
    const reply = { status: 400, body: `not with ${KEY}` };
    await using server = await FakeServer.start(firstly(reply));
    const { notes } = await ask(server, { apiKey: KEY });
    expect(notes).toEqual([expect.stringContaining('not with ***')]);
  });
});

describe('who cancels', () => {
  it.each<[string, Answerer]>([
    ['while it computes', firstly('silence')],
    [
      'while it is waited for',
      firstly({ status: 503, headers: { 'retry-after': '100' }, body: '' }),
    ],
  ])('%s ends it with the reason', async (_, answer) => {
    await using server = await FakeServer.start(answer);
    const controller = new AbortController();
    const reason = new Error('enough');
    const asking = failure(ask(server, { signal: controller.signal }));
    await expect.poll(() => server.bodies('POST /v1/completions').length).toBe(1);
    const start = performance.now();
    controller.abort(reason);
    expect(await asking).toBe(reason);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('has cancelled already asks nobody', async () => {
    await using server = await FakeServer.start(vllm());
    const reason = new Error('enough');
    expect(await failure(ask(server, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(server.asked).toEqual([]);
  });
});

it.each(['http://h:1', 'http://h:1/', 'http://h:1/v1', 'http://h:1/v1/'])(
  'the address %s is that of the server',
  url => expect(new Connection(url).address).toBe('http://h:1'),
);
