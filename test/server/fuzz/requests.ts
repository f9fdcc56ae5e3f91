/** Requests: an endpoint or something near one, headers, and a body in pieces. */
import fc from 'fast-check';
import { anyJson, type Bytes, broken, damaged, valid } from './bodies.js';
import type { Schema } from './values.js';

type Header = readonly [name: string, value: string];

/** A request, in a form that a failing test can print. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly Header[];
  readonly body: Bytes | undefined;
  /** Where the body is cut into pieces; undefined: it comes as a whole. */
  readonly cuts: readonly number[] | undefined;
  /** The client is gone before the body is complete. */
  readonly breaksOff: boolean;
}

/** Where something is sent to, and of which schema it is. */
export interface Target {
  readonly path: string;
  readonly schema: Schema;
}

const JSON_TYPE: Header = ['content-type', 'application/json'];
const cuts = fc.option(fc.array(fc.nat(400), { maxLength: 5 }), { nil: undefined });

function posts(
  { path }: Target,
  body: fc.Arbitrary<Bytes>,
  headers: fc.Arbitrary<readonly Header[]> = fc.constant([JSON_TYPE]),
): fc.Arbitrary<Sent> {
  const breaksOff = fc.integer({ min: 0, max: 49 }).map(n => n === 0);
  return fc.record({
    method: fc.constant('POST'),
    path: fc.constant(path),
    headers,
    body,
    cuts,
    breaksOff,
  });
}

const TYPES = [
  ...['application/json', 'APPLICATION/JSON ; charset=UTF-8', 'application/json;charset="utf8"'],
  ...['application/json; charset=utf-16', 'application/json;', 'application/jsonp', 'text/json'],
  ...['text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', ''],
  ...[';', 'application/json, text/plain', 'application/json; charset=utf-8; charset=latin1'],
];
const NAMES = [
  ...['x-request-id', 'authorization', 'host', 'origin', 'accept', 'content-length', 'cookie'],
  ...['sec-fetch-site', 'sec-fetch-dest', 'access-control-request-method', 'transfer-encoding'],
  ...['content-encoding', 'expect', 'connection', 'x-forwarded-for', 'range', 'if-none-match'],
];
const VALUES = [
  ...['', '*', 'null', '0', '-1', '1e9', '99999999999999999999', 'NaN', 'cross-site', 'document'],
  ...['localhost', 'LOCALHOST:80', 'evil.example', '127.0.0.1.', '[::1', ']:80', 'a@localhost'],
  ...[
    'Bearer ',
    'Bearer x y',
    'Basic eDp5',
    'gzip',
    'chunked',
    'http://localhost',
    'x'.repeat(9e3),
  ],
];

const byte = fc.integer({ min: 0x20, max: 0xff }).map(code => String.fromCharCode(code));
const value = fc.oneof(fc.constantFrom(...VALUES), fc.string({ unit: byte, maxLength: 200 }));
const headers: fc.Arbitrary<readonly Header[]> = fc
  .tuple(
    fc.constantFrom(...TYPES),
    fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 4 }),
  )
  .map(([type, others]): Header[] => [['content-type', type], ...others]);

/** What is near a path that there is, and leads elsewhere or nowhere. */
const PATHS: readonly ((path: string) => string)[] = [
  path => path,
  path => `${path}/`,
  path => `/${path}`,
  path => path.toUpperCase(),
  path => `${path}?a=%ff&b[]=1`,
  path => `${path}#x`,
  path => path.replace('/', '/%2e%2e/'),
  path => `${path}%00`,
  path => `${path}/%ff%fe`,
  path => `${path}/%`,
  path => `${path}/../../../etc/passwd`,
  path => `${path}/__proto__`,
  path => encodeURI(path).replace('/', '/%5c'),
  path => path + '/a'.repeat(2000),
];
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'QUERY', 'x'];

function visits(paths: readonly string[]): fc.Arbitrary<Sent> {
  return fc.record({
    method: fc.constantFrom(...METHODS),
    path: fc
      .tuple(fc.constantFrom(...paths), fc.constantFrom(...PATHS))
      .map(([path, change]) => change(path)),
    headers,
    body: fc.constant(undefined),
    cuts: fc.constant(undefined),
    breaksOff: fc.constant(false),
  });
}

/** Whatever may be sent to a server that has `targets`, and answers GET at `paths`. */
export function requests(targets: readonly Target[], paths: readonly string[]): fc.Arbitrary<Sent> {
  const to = (target: Target): fc.Arbitrary<Sent> => {
    const { schema } = target;
    return fc.oneof(
      { arbitrary: posts(target, valid(schema)), weight: 3 },
      { arbitrary: posts(target, broken(schema)), weight: 9 },
      { arbitrary: posts(target, damaged(schema)), weight: 5 },
      { arbitrary: posts(target, anyJson), weight: 2 },
      { arbitrary: posts(target, valid(schema), headers), weight: 2 },
    );
  };
  return fc.oneof(
    { arbitrary: fc.oneof(...targets.map(to)), weight: 9 },
    { arbitrary: visits([...paths, ...targets.map(({ path }) => path)]), weight: 1 },
  );
}

/** As `fetch` gets it; undefined if there can be no such request. */
export function requestOf({ method, path, headers, body, cuts, breaksOff }: Sent) {
  try {
    const stream = cuts || breaksOff ? piecesOf(body ?? new Uint8Array(), cuts, breaksOff) : body;
    const init = { method, headers: headers.map(([...header]) => header), duplex: 'half' };
    const rest = body === undefined ? {} : { body: stream };
    return new Request(`http://localhost${path}`, { ...init, ...rest } as RequestInit);
  } catch {
    return undefined;
  }
}

/** Pieces that know nothing of characters; some are empty. */
function piecesOf(body: Bytes, cuts: readonly number[] = [], breaksOff: boolean) {
  const ends = [...cuts.map(cut => cut % (body.length + 1)), body.length].sort((a, b) => a - b);
  let begin = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const end = ends.shift();
      if (end !== undefined && !(breaksOff && ends.length === 0)) {
        controller.enqueue(body.subarray(begin, end));
        begin = end;
      } else if (breaksOff) controller.error(new Error('the connection broke off'));
      else controller.close();
    },
  });
}
