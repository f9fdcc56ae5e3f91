/** Requests as bytes: what no client library would send. */
import fc from 'fast-check';

/** What is sent over one connection: requests, one after the other without waiting. */
export interface Sent {
  readonly requests: readonly string[];
  /** Where the bytes are cut into packets. */
  readonly cuts: readonly number[];
  /** After so much of them the client goes away, 0 … 1; at 1 it waits for its answers. */
  readonly until: number;
}

const BODIES = [
  '{"prompt":"Mira","max_tokens":1}',
  '{"prompt":"Mira","max_tokens":2,"stream":true}',
  '{"prompt":"Mira"',
  '{"messages":[]}',
  '',
];

const LINES = [
  ...Array<string>(6).fill('POST /v1/completions HTTP/1.1'),
  ...['POST /v1/completions HTTP/1.0', 'post /v1/completions HTTP/1.1', 'GET /health HTTP/1.1'],
  ...['POST  /v1/completions  HTTP/1.1', 'POST /v1/completions', 'POST /v1/completions HTTP/2.0'],
  ...[
    'POST http://127.0.0.1/v1/completions HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'GET \\health HTTP/1.1',
  ],
  ...['CONNECT 127.0.0.1:80 HTTP/1.1', 'PRI * HTTP/2.0', 'GET /\xff HTTP/1.1', '\x16\x03\x01', ''],
];

const HEADERS = [
  ...['content-length: 0', 'content-length: 1e1', 'content-length: 0x10', 'content-length: 9 9'],
  ...['content-length: 99999999999999999999', 'content-length:', 'transfer-encoding: chunked'],
  ...['transfer-encoding: gzip, chunked', 'transfer-encoding: chunked, identity'],
  ...['Transfer-Encoding : chunked', 'transfer_encoding: chunked', 'te: trailers', 'no colon'],
  ...[
    ': no name',
    'x-a: b\r\n folded',
    'x-a: \0',
    'x-a: \x7f',
    'x-a: é',
    'x-a: a\rb',
    'x-a:\nb: c',
  ],
  ...['expect: 100-continue', 'expect: miracles', 'connection: upgrade\r\nupgrade: h2c'],
  ...['connection: keep-alive, close', 'host: evil.example', 'host:', 'content-encoding: gzip'],
  ...['content-type: text/plain', 'authorization: Bearer \xff', 'origin: null'],
  ...[`x-a: ${'a'.repeat(17_000)}`, 'x-a: b\r\n'.repeat(2100).trim(), 'range: bytes=0-'],
];

/** The body, which is not empty, in chunks, and what can be wrong with them. */
const CHUNKINGS: readonly ((body: string) => string)[] = [
  body => `${size(body)}\r\n${body}\r\n0\r\n\r\n`,
  body => `1\r\n${body[0]}\r\n${size(body.slice(1))}\r\n${body.slice(1)}\r\n0\r\n\r\n`,
  body => `${size(body)};a=b\r\n${body}\r\n0\r\nx-trailer: a\r\n\r\n`,
  body => `${size(body)}\r\n${body}\r\n0\r\ncontent-length: 4\r\n\r\n`,
  body => `${size(body)}\r\n${body}\r\n`,
  body => `${size(body)}\r\n${body}`,
  body => `${size(`${body}xx`)}\r\n${body}\r\n0\r\n\r\n`,
  body => `${size(body.slice(2))}\r\n${body}\r\n0\r\n\r\n`,
  body => `-1\r\n${body}\r\n0\r\n\r\n`,
  body => `ffffffffffffffffff\r\n${body}\r\n`,
  body => `${size(body)}\n${body}\n0\n\n`,
  body => `xyz\r\n${body}\r\n0\r\n\r\n`,
];

const size = (text: string): string => text.length.toString(16);

const framing = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 2 },
  { arbitrary: fc.constantFrom(...CHUNKINGS), weight: 3 },
);

const request: fc.Arbitrary<string> = fc
  .record({
    line: fc.constantFrom(...LINES),
    odd: fc.array(fc.constantFrom(...HEADERS), { maxLength: 2 }),
    hasHost: fc.integer({ min: 0, max: 9 }).map(n => n > 0),
    body: fc.constantFrom(...BODIES),
    chunked: framing,
  })
  .map(({ line, odd, hasHost, body, chunked }) => {
    const length = chunked ? 'transfer-encoding: chunked' : `content-length: ${body.length}`;
    const host = hasHost ? ['host: 127.0.0.1'] : [];
    const headers = [...host, 'content-type: application/json', length, ...odd];
    return `${[line, ...headers].join('\r\n')}\r\n\r\n${chunked ? chunked(body || '  ') : body}`;
  });

export const connections: fc.Arbitrary<Sent> = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 3 }),
  cuts: fc.array(fc.nat(600), { maxLength: 3 }),
  until: fc.oneof(fc.constant(1), fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
});
