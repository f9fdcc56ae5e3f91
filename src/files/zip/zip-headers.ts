/**
 * The headers of a zip archive's entries (PKWARE, APPNOTE.TXT 6.3.10, 4.3.7, 4.3.12 and 4.5.3): one
 * in the central directory, and a local one before the data. Checksums are not looked at here:
 * PyTorch can be told not to compute them (`torch.serialization.set_crc32_options`), and still
 * writes something.
 *
 * `file` is the name for messages.
 */

import { check, LlamaError, show } from '../../base/errors.js';
import { bad, checkOneDisk, FULL_16, FULL_32, readUint64 } from './zip-fields.js';

export const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50; // "PK", 3, 4
const CENTRAL_SIGNATURE = 0x02014b50;
const ZIP64_FIELD = 1;

/** The ways in which an entry can be compressed that are known here. */
export const STORED = 0;
export const DEFLATED = 8;

/**
 * Bits 1 and 2: how hard it was tried to compress. Bit 3: the sizes follow the data; the central
 * directory has them too. Bit 11: the name is UTF-8.
 */
const SIZES_FOLLOW = 1 << 3;
const HARMLESS_FLAGS = SIZES_FOLLOW | (1 << 1) | (1 << 2) | (1 << 11);

/** What entries the reader of an archive takes. */
export interface Acceptable {
  readonly methods: readonly number[];
  /** What to do about others, for messages. */
  readonly instead: string;
}

/** What the central directory says of an entry. */
export interface CentralHeader {
  readonly name: string;
  readonly nameBytes: number;
  readonly method: number;
  /** Of its contents. */
  readonly size: number;
  /** In the file. */
  readonly storedSize: number;
  /** Of its contents. */
  readonly crc32: number;
  /** Where the local header is, in the file. */
  readonly offset: number;
}

/**
 * The header at `at` in the central directory, and where the next one begins.
 * @throws {LlamaError} UNSUPPORTED if the entry is encrypted, or compressed in another way than is
 * acceptable; BAD_CHECKPOINT.
 */
export function parseCentralHeader(
  directory: DataView,
  at: number,
  acceptable: Acceptable,
  file: string,
): { header: CentralHeader; next: number } {
  bad(
    at + CENTRAL_BYTES <= directory.byteLength &&
      directory.getUint32(at, true) === CENTRAL_SIGNATURE,
    () => `${file}: there is no header at byte ${at} of the central directory`,
  );
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map(field =>
    directory.getUint16(at + field, true),
  );
  const extra = at + CENTRAL_BYTES + nameBytes;
  const next = extra + extraBytes + commentBytes;
  bad(
    next <= directory.byteLength,
    () => `${file}: the header at byte ${at} of the central directory is cut off`,
  );
  const name = decodeName(directory, at + CENTRAL_BYTES, nameBytes, file);
  const where = `${file}: ${show(name)}`;
  const [flags, method] = [8, 10].map(field => directory.getUint16(at + field, true));
  checkReadable(flags, method, acceptable, where);
  const sizes = parseSizes(directory, at, { begin: extra, end: extra + extraBytes }, where);
  bad(
    method !== STORED || sizes.size === sizes.storedSize,
    () =>
      `${where} is stored as it is, but ${sizes.size} bytes are said to take ${sizes.storedSize}`,
  );
  const crc32 = directory.getUint32(at + 16, true);
  return { header: { name, nameBytes, method, crc32, ...sizes }, next };
}

function checkReadable(
  flags: number,
  method: number,
  { methods, instead }: Acceptable,
  where: string,
): void {
  check((flags & 1) === 0, 'UNSUPPORTED', () => `${where} is encrypted; ${instead}`);
  check(
    (flags & ~HARMLESS_FLAGS) === 0,
    'UNSUPPORTED',
    () => `${where} has the flags ${flags}; ${instead}`,
  );
  check(
    methods.includes(method),
    'UNSUPPORTED',
    () => `${where} is compressed (method ${method}); ${instead}`,
  );
}

interface Range {
  readonly begin: number;
  readonly end: number;
}

/**
 * Sizes and offset of an entry. Those fields that are all ones, and no others, are in the ZIP64
 * field, in this order.
 */
function parseSizes(
  directory: DataView,
  at: number,
  extra: Range,
  where: string,
): Pick<CentralHeader, 'size' | 'storedSize' | 'offset'> {
  const zip64 = findExtraField(ZIP64_FIELD, directory, extra, where);
  let next = zip64.begin;
  const take = (value: number, full: number, bytes: number) => {
    if (value !== full) return value;
    next += bytes;
    bad(
      next <= zip64.end,
      () => `${where}: a size or offset is left to ZIP64, which does not have it`,
    );
    return bytes === 8
      ? readUint64(directory, next - 8, where)
      : directory.getUint32(next - 4, true);
  };
  const size = take(directory.getUint32(at + 24, true), FULL_32, 8);
  const storedSize = take(directory.getUint32(at + 20, true), FULL_32, 8);
  const offset = take(directory.getUint32(at + 42, true), FULL_32, 8);
  const disk = take(directory.getUint16(at + 34, true), FULL_16, 4);
  bad(
    next === zip64.end,
    () => `${where}: its ZIP64 field has ${zip64.end - next} bytes that belong to nothing`,
  );
  checkOneDisk(disk === 0, where);
  return { size, storedSize, offset };
}

/** The contents of the extra field `id`; empty if there is none. */
function findExtraField(
  id: number,
  directory: DataView,
  { begin, end }: Range,
  where: string,
): Range {
  let found: Range | undefined;
  for (let at = begin; at < end; ) {
    const next = at + 4 <= end ? at + 4 + directory.getUint16(at + 2, true) : Infinity;
    bad(next <= end, () => `${where}: its extra fields are cut off`);
    if (directory.getUint16(at, true) === id) {
      bad(found === undefined, () => `${where}: the extra field ${id} comes twice`);
      found = { begin: at + 4, end: next };
    }
    at = next;
  }
  return found ?? { begin: end, end };
}

/**
 * How far behind its local header an entry's data begins. The sizes in it may be zero and follow
 * the data instead, as PyTorch writes them, or be left to ZIP64: those of the central directory
 * count.
 *
 * @param local the local header and as many bytes as the name should have
 */
export function parseLocalHeader(
  local: DataView,
  header: CentralHeader,
  acceptable: Acceptable,
  file: string,
): number {
  const where = `${file}: ${show(header.name)}`;
  bad(
    local.getUint32(0, true) === LOCAL_SIGNATURE,
    () => `${where} does not begin at byte ${header.offset}`,
  );
  const [flags, method, nameBytes, extraBytes] = [6, 8, 26, 28].map(field =>
    local.getUint16(field, true),
  );
  bad(
    nameBytes === header.nameBytes &&
      decodeName(local, LOCAL_BYTES, nameBytes, file) === header.name,
    () => `${where} has another name in its local header`,
  );
  checkReadable(flags, method, acceptable, where);
  bad(
    method === header.method,
    () => `${where} is compressed in another way by its local header (method ${method})`,
  );
  for (const [size, field] of [
    [header.storedSize, 18],
    [header.size, 22],
  ]) {
    const local32 = local.getUint32(field, true);
    const follows = local32 === 0 && (flags & SIZES_FOLLOW) !== 0;
    bad(
      follows || local32 === FULL_32 || local32 === size,
      () => `${where} has ${size} bytes, but ${local32} by its local header`,
    );
  }
  return LOCAL_BYTES + nameBytes + extraBytes;
}

function decodeName(bytes: DataView, at: number, length: number, file: string): string {
  try {
    const name = new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
  } catch (error) {
    throw new LlamaError('BAD_CHECKPOINT', `${file}: the name of an entry is not UTF-8`, {
      cause: error,
    });
  }
}
