/** Bodies of requests: what a schema allows, that with one thing broken, and what is no body. */
import fc from 'fast-check';
import { allowedBy, jsonOf, odd, oddKey, type Schema } from './values.js';

export type Bytes = Uint8Array<ArrayBuffer>;

const bytesOf = (text: string): Bytes => new Uint8Array(Buffer.from(text));

export const valid = (schema: Schema): fc.Arbitrary<Bytes> =>
  allowedBy(schema).map(value => bytesOf(jsonOf(value)));

/** One thing of a body that would be valid is another, is missing, or is too much. */
export const broken = (schema: Schema): fc.Arbitrary<Bytes> =>
  fc
    .tuple(allowedBy(schema), fc.nat(), fc.constantFrom(...CHANGES), oddKey, odd)
    .map(([value, where, change, key, other]) => {
      const root = { body: JSON.parse(JSON.stringify(value)) };
      const places = placesIn(root);
      change(places[where % places.length], key, other);
      return bytesOf(jsonOf(root.body));
    });

export const anyJson: fc.Arbitrary<Bytes> = fc
  .oneof(odd, fc.dictionary(oddKey, odd), fc.array(odd))
  .map(value => bytesOf(jsonOf(value)));

/** The text of a body, damaged: cut, with bytes that are others, with keys that come twice. */
export const damaged = (schema: Schema): fc.Arbitrary<Bytes> =>
  fc
    .tuple(valid(schema), fc.nat(), fc.constantFrom(...DAMAGES), fc.uint8Array({ maxLength: 8 }))
    .map(([bytes, where, damage, more]) => damage(bytes, where % (bytes.length + 1), more));

/** Where a value is: in which list or object, under which key. */
interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function placesIn(holder: object): Place[] {
  return Object.entries(holder).flatMap(([key, value]) => [
    { holder: holder as Record<string, unknown>, key },
    ...(typeof value === 'object' && value !== null ? placesIn(value) : []),
  ]);
}

/** `__proto__`, too, is a key like any other in JSON. */
const put = (holder: object, key: string, value: unknown): void => {
  const descriptor = { value, enumerable: true, writable: true, configurable: true };
  if (!(Array.isArray(holder) && key === 'length')) Object.defineProperty(holder, key, descriptor);
};

type Change = (place: Place, key: string, other: unknown) => void;

const CHANGES: readonly Change[] = [
  ({ holder, key }, _, other) => put(holder, key, other),
  ({ holder, key }, _, other) => put(holder, key, [holder[key], other]),
  ({ holder, key }) => put(holder, key, JSON.stringify(holder[key])),
  ({ holder, key }) => put(holder, key, { [key]: holder[key] }),
  ({ holder, key }) => put(holder, key, undefined),
  ({ holder, key: at }, key, other) => {
    const value = holder[at];
    put(typeof value === 'object' && value !== null ? value : holder, key, other);
  },
];

type Damage = (bytes: Bytes, at: number, more: Uint8Array) => Bytes;

const concat = (...parts: Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts));

const DAMAGES: readonly Damage[] = [
  (bytes, at) => bytes.slice(0, at),
  (bytes, at, more) => concat(bytes.subarray(0, at), more, bytes.subarray(at)),
  (bytes, at, more) => concat(bytes.subarray(0, at), more, bytes.subarray(at + more.length)),
  bytes => concat(Buffer.of(0xef, 0xbb, 0xbf), bytes),
  bytes => concat(bytes, bytes),
  bytes => concat(bytes, Buffer.of(0)),
  (bytes, at) => concat(bytes.subarray(0, at), Buffer.from('é').subarray(0, 1)),
  (bytes, at) => concat(bytes.subarray(0, at), Buffer.of(0xed, 0xa0, 0x80), bytes.subarray(at)),
  bytes => concat(Buffer.from('{"prompt":"a",'), bytes.subarray(1)),
  bytes => new Uint8Array(Buffer.from(Buffer.from(bytes).toString(), 'utf16le')),
  (_, at) => bytesOf('{"prompt":'.repeat(at)),
];
