/** GGUF files put together by hand, broken ones too. Knows nothing of the project's own writer. */

export const TYPE = {
  ...{
    u8: 0,
    i8: 1,
    u16: 2,
    i16: 3,
    u32: 4,
    i32: 5,
    f32: 6,
    bool: 7,
    string: 8,
    array: 9,
    u64: 10,
    i64: 11,
    f64: 12,
  },
};

export function u32(x: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(x);
  return bytes;
}

export function u64(x: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(x));
  return bytes;
}

export function f32(x: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(x);
  return bytes;
}

export function string(
  text: string | Buffer,
  length: number | bigint = Buffer.byteLength(text),
): Buffer {
  return Buffer.concat([u64(length), Buffer.from(text as string)]);
}

export function entry(key: string, type: number, ...value: Buffer[]): Buffer {
  return Buffer.concat([string(key), u32(type), ...value]);
}

export const text = (key: string, value: string): Buffer => entry(key, TYPE.string, string(value));
export const integer = (key: string, value: number): Buffer => entry(key, TYPE.u32, u32(value));
export const float = (key: string, value: number): Buffer => entry(key, TYPE.f32, f32(value));

export function array(
  key: string,
  of: number,
  count: number | bigint,
  ...values: Buffer[]
): Buffer {
  return entry(key, TYPE.array, u32(of), u64(count), ...values);
}

/** Sizes innermost first, as in the file. */
export function info(
  name: string,
  sizes: readonly (number | bigint)[],
  type: number,
  offset: number | bigint,
): Buffer {
  return Buffer.concat([
    string(name),
    u32(sizes.length),
    ...sizes.map(u64),
    u32(type),
    u64(offset),
  ]);
}

export interface Parts {
  magic?: string;
  version?: number;
  entries?: readonly Buffer[];
  infos?: readonly Buffer[];
  /** Bytes, or how many zeros. */
  data?: Buffer | number;
  /** What the header announces, if not the truth. */
  tensorCount?: number | bigint;
  entryCount?: number | bigint;
  alignment?: number;
}

export function ggufOf(parts: Parts = {}): Uint8Array {
  const { magic = 'GGUF', version = 3, entries = [], infos = [], data = 0, alignment = 32 } = parts;
  const { tensorCount = infos.length, entryCount = entries.length } = parts;
  const header = Buffer.concat([
    Buffer.from(magic),
    u32(version),
    u64(tensorCount),
    u64(entryCount),
    ...entries,
    ...infos,
  ]);
  const padding = Buffer.alloc((alignment - (header.length % alignment)) % alignment);
  return new Uint8Array(
    Buffer.concat([header, padding, typeof data === 'number' ? Buffer.alloc(data) : data]),
  );
}
