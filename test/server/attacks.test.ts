/** What an attacker sends to a socket, where no client library stands between. */
import { connect } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { listen } from '../../src/server/index.js';
import { answersIn } from './fuzz/exchange.js';
import { loaded, serverWith } from './support.js';

const server = serverWith();
const listening = await listen(request => server.fetch(request), { port: 0 });
const port = Number(new URL(listening.url).port);
afterAll(async () => {
  listening.closeAtOnce();
  await server.close();
  await loaded.close();
});

const OWN = `127.0.0.1:${port}`;
const BODY = '{"prompt":"Mira","max_tokens":1}';

/**
 * All that comes back, until the server closes or nothing comes for a while.
 *
 * @param later is sent when the answer has begun
 */
function exchange(text: string, later?: string, quietSeconds = 3): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'));
    if (later !== undefined) socket.once('data', () => socket.write(later));
    let answer = '';
    const end = () => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(quietSeconds * 1000, end);
    socket.on('data', data => (answer += data));
    socket.on('error', end).on('close', end);
  });
}

const statusesOf = (answer: string): number[] =>
  [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));

function post(headers: string[], body = BODY): string {
  const all = ['content-type: application/json', 'connection: close', ...headers];
  return `POST /v1/completions HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body}`;
}
const length = `content-length: ${BODY.length}`;

describe('a name that is not this server', () => {
  it.each([
    'evil.example',
    '127.0.0.1.evil.example',
    'evil.example.:80',
    'localhost@evil.example',
    'evil.example#localhost',
    'localhost/../evil.example',
    '[::1].evil.example',
    '127.1.evil.example:1',
    'localhost, evil.example',
    'evil.example\tlocalhost',
  ])('gets nothing as Host: %s', async host => {
    const [status] = statusesOf(await exchange(post([`host: ${host}`, length])));
    expect([400, 403]).toContain(status);
  });

  it('gets nothing as the target of the request, either', async () => {
    const target = 'http://evil.example/v1/completions';
    const text = post([`host: ${OWN}`, length]).replace('/v1/completions', target);
    expect(statusesOf(await exchange(text))[0]).toBeGreaterThanOrEqual(400);
  });
});

describe('two meanings for one request', () => {
  it.each([
    ['two lengths', [`host: ${OWN}`, 'content-length: 4', length]],
    ['a length and chunks', [`host: ${OWN}`, length, 'transfer-encoding: chunked']],
    ['chunks that are none', [`host: ${OWN}`, 'transfer-encoding: xchunked']],
    ['a length with a sign', [`host: ${OWN}`, `content-length: +${BODY.length}`]],
    ['a length below zero', [`host: ${OWN}`, 'content-length: -1']],
    ['a folded header', [`host: ${OWN}`, length, 'x-a: b\r\n c']],
    ['a blank before the colon', [`host : ${OWN}`, length]],
    ['no host', [length]],
  ])('with %s is refused, and nothing behind it is read as another', async (_, headers) => {
    const next = `GET /version HTTP/1.1\r\nhost: ${OWN}\r\n\r\n`;
    const statuses = statusesOf(await exchange(post(headers) + next));
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toBeGreaterThanOrEqual(400);
    expect(statuses[0]).toBeLessThan(500);
  });
});

describe('what Node would answer in its own way', () => {
  it('a request without Host is 400, in JSON', async () => {
    const [{ status, body }] = answersIn(await exchange(post([length])));
    expect([status, JSON.parse(body).error.code]).toEqual([400, 'invalid_request']);
    expect(body).toContain('Missing host header');
  });

  it('an expectation that nobody knows is 417, in JSON', async () => {
    const answer = await exchange(post([`host: ${OWN}`, length, 'expect: miracles']));
    const [{ status, body }] = answersIn(answer);
    expect([status, JSON.parse(body).error.code]).toEqual([417, 'expectation_failed']);
    expect(body).toContain('miracles');
  });

  it('a request that waits for leave gets it, and its answer', async () => {
    const answer = await exchange(post([`host: ${OWN}`, length, 'expect: 100-continue']));
    expect(answersIn(answer).map(({ status }) => status)).toEqual([100, 200]);
  });

  it('leave for one that comes early is not given in the middle of an answer', async () => {
    const first = post([`host: ${OWN}`, length]).replace('connection: close\r\n', '');
    const all = first + post([`host: ${OWN}`, length, 'expect: 100-continue']);
    const answers = answersIn(await exchange(all));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    for (const { body } of answers) expect(JSON.parse(body).choices).toHaveLength(1);
  });

  it('nothing is said about what breaks off in the middle of an answer, or behind it', async () => {
    const body = '{"prompt":"Mira","max_tokens":20,"stream":true}';
    const streaming = post([`host: ${OWN}`, `content-length: ${body.length}`], body);
    const keptOpen = streaming.replace('connection: close\r\n', '');
    const stream = await exchange(keptOpen, 'no HTTP\r\n\r\n');
    expect(stream).toMatch(/^HTTP\/1\.1 200 /);
    expect(statusesOf(stream)).toHaveLength(1);
    const refused = post([`host: evil.example`, 'transfer-encoding: chunked'], '5\r\n');
    expect(statusesOf(await exchange(refused, 'no chunk\r\n'))).toEqual([403]);
  });
});

describe('too much', () => {
  it('headers of 20 kB are 431, in JSON', async () => {
    const answer = await exchange(post([`host: ${OWN}`, length, `x-a: ${'a'.repeat(20_000)}`]));
    expect(statusesOf(answer)).toEqual([431]);
    expect(answer).toContain('"headers_too_large"');
  });

  it('what is not HTTP is 400, in JSON', async () => {
    const answer = await exchange('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n');
    expect(statusesOf(answer)).toEqual([400]);
    expect(answer).toContain('"error"');
  });

  it('a body that is announced and does not come holds up nobody else', async () => {
    const slow = exchange(post([`host: ${OWN}`, 'content-length: 1000'], '{'), undefined, 2);
    const [status] = statusesOf(await exchange(post([`host: ${OWN}`, length])));
    expect(status).toBe(200);
    await slow;
  });
});

describe('a path', () => {
  it.each([
    '/..%2f..%2fetc/passwd',
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '//etc/passwd',
    '/v1/models/..%5c..%5cconfig.json',
    '/index.html%00.png',
    '/src/server/playground/index.html',
  ])('%s leads to no file', async path => {
    const answer = await exchange(
      `GET ${path} HTTP/1.1\r\nhost: ${OWN}\r\nconnection: close\r\n\r\n`,
    );
    expect([400, 404]).toContain(statusesOf(answer)[0]);
  });
});
