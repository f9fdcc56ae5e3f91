/** NumPy's format of several arrays: a zip archive of .npy files, stored or deflated. */
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { check, firstOf, LlamaError, show } from '../../base/errors.js';
import { reason } from '../../files/file.js';
import type { ByteSource } from '../../files/source.js';
import {
  DEFLATED,
  readZipEntries,
  readZipEntry,
  STORED,
  type ZipEntry,
} from '../../files/zip/zip.js';
import type { Given, GivenTensor } from './given.js';
import { parseNpy } from './npy.js';

const inflate = promisify(inflateRaw);

export const NPY = '.npy';
const ACCEPTABLE = {
  methods: [STORED, DEFLATED],
  instead: 'NumPy writes no such files; write it again with numpy.savez',
};
/** Deflate makes 258 bytes of two bits at best. */
const LARGEST_RATIO = 1032;

/**
 * The arrays of the archive; they are read when they are asked for.
 * @throws {LlamaError} BAD_CHECKPOINT or UNSUPPORTED naming what is wrong.
 */
export async function openNpz(source: ByteSource): Promise<Pick<Given, 'tensors' | 'notes'>> {
  const entries = [...(await readZipEntries(source, ACCEPTABLE)).values()];
  const others = entries.filter(({ name }) => !name.endsWith(NPY)).map(({ name }) => name);
  const arrays = entries.filter(({ name }) => name.endsWith(NPY));
  return { tensors: arrays.map(entry => arrayOf(source, entry)), notes: notArrays(others) };
}

/** What is said of files that are no arrays. */
export const notArrays = (names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`left out, as they are no ${NPY} files: ${firstOf(names)}`];

function arrayOf(source: ByteSource, entry: ZipEntry): GivenTensor {
  const where = `${source.name}: ${show(entry.name)}`;
  return {
    name: entry.name.slice(0, -NPY.length),
    load: async () => parseNpy(await contents(source, entry, where), where),
  };
}

async function contents(source: ByteSource, entry: ZipEntry, where: string): Promise<Uint8Array> {
  const stored = await readZipEntry(source, entry, Infinity);
  const bytes = entry.method === STORED ? stored : await inflated(stored, entry, where);
  check(
    crc32(bytes) === entry.crc32,
    'BAD_CHECKPOINT',
    () => `${where} has another checksum than the archive says; write it again`,
  );
  return bytes;
}

async function inflated(
  stored: Uint8Array,
  { size }: ZipEntry,
  where: string,
): Promise<Uint8Array> {
  const fail = (what: string, cause?: unknown) =>
    new LlamaError('BAD_CHECKPOINT', `${where} ${what}; write it again with numpy.savez`, {
      cause,
    });
  if (size > stored.length * LARGEST_RATIO)
    throw fail(`is said to be ${size} bytes, and ${stored.length} deflated ones cannot hold them`);
  let bytes: Uint8Array;
  try {
    bytes = await inflate(stored, { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    throw fail(`cannot be inflated to ${size} bytes: ${reason(error)}`, error);
  }
  if (bytes.length !== size) throw fail(`has ${bytes.length} bytes, not ${size} as announced`);
  return bytes;
}
