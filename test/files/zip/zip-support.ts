/** Zip archives put together by hand: as PyTorch writes them, unless told otherwise. */

export interface ZipSpec {
  readonly name: string | Uint8Array;
  /** A number stands for as many zeros that are not written: a hole. */
  readonly data?: Uint8Array | number;
  /**
   * Fields of the two headers, by offset, that are something else. Names come after the 30 or 46
   * bytes.
   */
  readonly local?: Fields;
  readonly central?: Fields;
  readonly localExtra?: Uint8Array;
  readonly centralExtra?: Uint8Array;
}

/** Offset → [number of bytes, value]. */
export type Fields = Readonly<Record<number, readonly [2 | 4 | 8, number | bigint]>>;

export interface ZipOptions {
  readonly comment?: Uint8Array;
  /** Whether there are a ZIP64 end record and its locator; PyTorch writes them always. */
  readonly zip64?: boolean;
  readonly end?: Fields;
  readonly zip64End?: Fields;
  readonly locator?: Fields;
  /** What is between the central directory and the end. */
  readonly gap?: Uint8Array;
}

export interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const FULL = 0xffffffff;

export function zipOf(entries: readonly ZipSpec[], options: ZipOptions = {}): Uint8Array {
  const parts = zipParts(entries, options);
  const file = new Uint8Array(endOf(parts.at(-1)!));
  for (const { offset, bytes } of parts) file.set(bytes, offset);
  return file;
}

const endOf = ({ offset, bytes }: Part): number => offset + bytes.length;

/** What to write where, the last part last. Between the parts are holes. */
export function zipParts(entries: readonly ZipSpec[], options: ZipOptions = {}): Part[] {
  const parts: Part[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const put = (bytes: Uint8Array, length = bytes.length) => {
    if (bytes.length > 0) parts.push({ offset: at, bytes });
    at += length;
  };
  for (const {
    name,
    data = 0,
    local,
    central,
    localExtra = new Uint8Array(),
    centralExtra,
  } of entries) {
    const nameBytes = typeof name === 'string' ? Buffer.from(name) : name;
    const size = typeof data === 'number' ? data : data.length;
    const offset = at;
    const lengths: Fields = { 26: [2, nameBytes.length], 28: [2, localExtra.length] };
    put(
      concat(
        record(30, { 0: [4, 0x04034b50], 6: [2, 0x808], ...lengths }, local),
        nameBytes,
        localExtra,
      ),
    );
    put(typeof data === 'number' ? new Uint8Array() : data, size);
    put(record(size < FULL ? 16 : 24, { 0: [4, 0x08074b50] })); // the sizes, which nobody reads
    const extra = centralExtra ?? zip64Extra(size, offset);
    const fields: Fields = {
      0: [4, 0x02014b50],
      8: [2, 0x808],
      20: [4, Math.min(size, FULL)],
      24: [4, Math.min(size, FULL)],
      28: [2, nameBytes.length],
      30: [2, extra.length],
      42: [4, Math.min(offset, FULL)],
    };
    directory.push(concat(record(46, fields, central), nameBytes, extra));
  }
  const begin = at;
  put(concat(...directory));
  const [size, count] = [at - begin, entries.length];
  put(options.gap ?? new Uint8Array());
  if (options.zip64 ?? true) {
    const zip64End = at;
    const counts: Fields = { 24: [8, count], 32: [8, count], 40: [8, size], 48: [8, begin] };
    put(record(56, { 0: [4, 0x06064b50], 4: [8, 44], ...counts }, options.zip64End));
    put(record(20, { 0: [4, 0x07064b50], 8: [8, zip64End], 16: [4, 1] }, options.locator));
  }
  const comment = options.comment ?? new Uint8Array();
  const counts: Fields = {
    8: [2, count],
    10: [2, count],
    12: [4, size],
    16: [4, Math.min(begin, FULL)],
  };
  put(
    concat(
      record(22, { 0: [4, 0x06054b50], ...counts, 20: [2, comment.length] }, options.end),
      comment,
    ),
  );
  return parts;
}

function zip64Extra(size: number, offset: number): Uint8Array {
  const numbers = [...(size >= FULL ? [size, size] : []), ...(offset >= FULL ? [offset] : [])];
  return numbers.length === 0
    ? new Uint8Array()
    : extraField(1, new BigUint64Array(numbers.map(BigInt)));
}

export function extraField(id: number, content: Uint8Array | BigUint64Array): Uint8Array {
  const bytes = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  return concat(record(4, { 0: [2, id], 2: [2, bytes.length] }), bytes);
}

function record(size: number, fields: Fields, others: Fields = {}): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(size));
  for (const [at, [length, value]] of Object.entries({ ...fields, ...others })) {
    if (length === 2) view.setUint16(Number(at), Number(value), true);
    else if (length === 4) view.setUint32(Number(at), Number(value), true);
    else view.setBigUint64(Number(at), BigInt(value), true);
  }
  return new Uint8Array(view.buffer);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
