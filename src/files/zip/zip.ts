/**
 * Zip archives as PyTorch and NumPy write them: where their entries are; perhaps beyond 4 GiB
 * (ZIP64). Only the central directory counts, as for any reader; the local headers must agree with
 * it.
 *
 * Nothing is inflated here or written to disk; still, an archive that would be dangerous to another
 * reader is refused.
 */

import { show } from '../../base/errors.js';
import { allocateBytes } from '../dtypes.js';
import type { ByteSource } from '../source.js';
import { type Directory, findDirectory } from './zip-end.js';
import { bad } from './zip-fields.js';
import {
  type Acceptable,
  type CentralHeader,
  LOCAL_BYTES,
  parseCentralHeader,
  parseLocalHeader,
} from './zip-headers.js';

export { type Acceptable, DEFLATED, STORED } from './zip-headers.js';

/** A checkpoint has an entry per tensor; the largest models have a few thousand. */
const MAX_ENTRIES = 2 ** 16;
const MAX_DIRECTORY_BYTES = 2 ** 24;

export interface ZipEntry extends Omit<CentralHeader, 'nameBytes'> {
  /** Where its data begins, in the file. */
  readonly offset: number;
}

/**
 * The entries of the archive, by name, in the order of their data.
 * @throws {LlamaError} BAD_CHECKPOINT naming what is wrong; UNSUPPORTED if an entry is encrypted,
 * or compressed in another way than is acceptable.
 */
export async function readZipEntries(
  source: ByteSource,
  acceptable: Acceptable,
): Promise<Map<string, ZipEntry>> {
  const directory = await findDirectory(source);
  const headers = await readDirectory(source, directory, acceptable);
  headers.sort((a, b) => a.offset - b.offset);
  const entries = new Map<string, ZipEntry>();
  let end = 0;
  for (const header of headers) {
    const { nameBytes: _, ...entry } = header;
    const { name } = entry;
    const where = `${source.name}: ${show(name)}`;
    checkName(name, where);
    bad(!entries.has(name), () => `${where} comes twice`);
    bad(
      header.offset >= end,
      () => `${where} begins at byte ${header.offset}, inside the entry before it`,
    );
    const offset = await findData(source, header, acceptable);
    end = offset + entry.storedSize;
    bad(
      end <= directory.offset,
      () => `${where} ends at byte ${end}, behind the central directory's ${directory.offset}`,
    );
    entries.set(name, { ...entry, offset });
  }
  return entries;
}

async function readDirectory(
  source: ByteSource,
  { offset, size, entries }: Directory,
  acceptable: Acceptable,
): Promise<CentralHeader[]> {
  const { name } = source;
  bad(
    entries <= MAX_ENTRIES,
    () => `${name}: ${entries} entries are announced, the limit is ${MAX_ENTRIES}`,
  );
  bad(
    size <= MAX_DIRECTORY_BYTES,
    () =>
      `${name}: a central directory of ${size} bytes is announced, the limit is ` +
      `${MAX_DIRECTORY_BYTES}`,
  );
  const directory = new DataView(new ArrayBuffer(size));
  await source.readInto(offset, new Uint8Array(directory.buffer));
  const headers: CentralHeader[] = [];
  let at = 0;
  while (headers.length < entries) {
    const { header, next } = parseCentralHeader(directory, at, acceptable, name);
    headers.push(header);
    at = next;
  }
  bad(
    at === size,
    () => `${name}: ${size - at} bytes follow the last header of the central directory`,
  );
  return headers;
}

async function findData(
  source: ByteSource,
  header: CentralHeader,
  acceptable: Acceptable,
): Promise<number> {
  const local = new DataView(new ArrayBuffer(LOCAL_BYTES + header.nameBytes));
  await source.readInto(header.offset, new Uint8Array(local.buffer));
  return header.offset + parseLocalHeader(local, header, acceptable, source.name);
}

/** Relative, below no "..", and the same on every system. */
function checkName(name: string, where: string): void {
  const isPlain =
    !/[\\:\0]/.test(name) &&
    name.split('/').every(part => part !== '' && part !== '.' && part !== '..');
  bad(isPlain, () => `${where} is not the name of a file inside an archive`);
}

/**
 * The bytes of an entry as they are in the file.
 * @throws {LlamaError} BAD_CHECKPOINT if they are more than `limit`; OUT_OF_MEMORY.
 */
export async function readZipEntry(
  source: ByteSource,
  { name, offset, storedSize }: ZipEntry,
  limit: number,
): Promise<Uint8Array> {
  bad(
    storedSize <= limit,
    () => `${source.name}: ${show(name)} has ${storedSize} bytes, the limit is ${limit}`,
  );
  const bytes = allocateBytes(storedSize);
  await source.readInto(offset, bytes);
  return bytes;
}
