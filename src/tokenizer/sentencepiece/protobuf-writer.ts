/**
 * Writing the wire format that `protobuf.ts` reads. A field is its bytes; a message is its fields,
 * one after the other.
 */

type Bytes = readonly number[];

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Of int32, an enum or a truth value. Negative numbers take 64 bits. */
export function integerField(number: number, value: number): Bytes {
  return [...tag(number, VARINT), ...varint(value)];
}

export function floatField(number: number, value: number): Bytes {
  return [...tag(number, FIXED32), ...new Uint8Array(Float32Array.of(value).buffer)];
}

export function stringField(number: number, value: string): Bytes {
  return bytesField(number, [...new TextEncoder().encode(value)]);
}

export function messageField(number: number, ...fields: readonly Bytes[]): Bytes {
  return bytesField(number, fields.flat());
}

function bytesField(number: number, bytes: Bytes): Bytes {
  return [...tag(number, LENGTH_DELIMITED), ...varint(bytes.length), ...bytes];
}

const tag = (number: number, wireType: number): Bytes => varint(number * 8 + wireType);

/** Seven bits at a time, the lowest first; the eighth bit says that more follow. */
function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}
