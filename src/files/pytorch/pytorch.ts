/**
 * PyTorch checkpoints, as `torch.save(model.state_dict(), 'pytorch_model.bin')` writes them since
 * PyTorch 1.6: a zip archive of uncompressed files in one directory,
 *
 *     <dir>/data.pkl       the names, dtypes, shapes of the tensors, and where they are: a pickle;
 *                          see `pickled-tensors.ts`
 *     <dir>/data/<key>     a storage: numbers, one after the other
 *     <dir>/byteorder      "little"; PyTorch 2.1 and later
 *     <dir>/version        of this layout
 *     <dir>/.…             more about the file
 *
 * so that tensors are read in place. Loading a pickle with Python can run any program; here nothing
 * of it is executed.
 */

import { check, firstOf, show } from '../../base/errors.js';
import { elementCount } from '../../base/tensor.js';
import type { Checkpoint, CheckpointTensor } from '../../model/checkpoint.js';
import { DTYPE_BYTES } from '../../model/dtypes.js';
import { identifyAll } from '../identity.js';
import { RowMajorTensor } from '../row-major.js';
import type { ByteSource } from '../source.js';
import {
  type Acceptable,
  readZipEntries,
  readZipEntry,
  STORED,
  type ZipEntry,
} from '../zip/zip.js';
import { refuseOtherFiles } from './lookalikes.js';
import { unpickle } from './pickle.js';
import { GLOBALS, parseStateDict, type Storage, type TensorView } from './pickled-tensors.js';
import { isRowMajor, StridedTensor } from './strided.js';

/** 150 bytes for a tensor are usual. */
const MAX_PICKLE_BYTES = 2 ** 26;
/** torch.save writes 3; PyTorch reads up to 10 (caffe2/serialize/versions.h). */
const MAX_VERSION = 10;
/** Tensors are read in place. */
const STORED_ONLY: Acceptable = {
  methods: [STORED],
  instead: 'PyTorch writes no such files; write it again with torch.save',
};

/**
 * Opens a PyTorch checkpoint. Only what describes the tensors is read, once; tensors are read when
 * asked for. The checkpoint owns `source` from here on, and closes it also when it turns out to be
 * broken.
 *
 * @throws {LlamaError} BAD_CHECKPOINT or UNSUPPORTED naming what is wrong.
 */
export async function openPytorch(source: ByteSource): Promise<Checkpoint> {
  try {
    return {
      name: source.name,
      ...(await readTensors(source)),
      identify: () => identifyAll([source]),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The tensors in the order of the file, and what else there is. */
async function readTensors(source: ByteSource): Promise<Pick<Checkpoint, 'tensors' | 'notes'>> {
  await refuseOtherFiles(source);
  const files = filesOf(await readZipEntries(source, STORED_ONLY), source.name);
  await checkVersion(source, files);
  await checkByteOrder(source, files);
  const pickle = await readZipEntry(source, fileOf(files, 'data.pkl', source), MAX_PICKLE_BYTES);
  const where = `${source.name}: data.pkl`;
  const { views, others } = parseStateDict(unpickle(pickle, GLOBALS, where), where);
  const placed = views.map(view => ({ view, offset: offsetOf(view, files, source) }));
  placed.sort((a, b) => a.offset - b.offset);
  return {
    tensors: new Map(placed.map(({ view, offset }) => [view.name, tensorAt(source, view, offset)])),
    notes:
      others.length === 0
        ? []
        : [`${source.name} has entries that are no tensors: ${firstOf(others)}`],
  };
}

/** The entries without the one directory that they all are in. */
function filesOf(entries: ReadonlyMap<string, ZipEntry>, fileName: string): Map<string, ZipEntry> {
  const [first = ''] = entries.keys();
  const [directory] = first.split('/', 1);
  const files = new Map<string, ZipEntry>();
  for (const [name, entry] of entries) {
    bad(
      name.startsWith(`${directory}/`),
      () => `${fileName}: ${show(name)} is not in the directory ${show(directory)}, as all must be`,
    );
    files.set(name.slice(directory.length + 1), entry);
  }
  for (const name of files.keys()) {
    check(
      /^(data\.pkl|byteorder|version|data\/[^/]+|\..*)$/.test(name),
      'UNSUPPORTED',
      () =>
        `${fileName} has ${show(name)}, which torch.save does not write for tensors; ` +
        'if it is a TorchScript archive, save its state_dict() with torch.save',
    );
  }
  return files;
}

async function checkVersion(
  source: ByteSource,
  files: ReadonlyMap<string, ZipEntry>,
): Promise<void> {
  const version = await readText(source, fileOf(files, 'version', source));
  check(
    /^\d{1,9}$/.test(version) && Number(version) >= 1 && Number(version) <= MAX_VERSION,
    'UNSUPPORTED',
    () =>
      `${source.name} has the layout of version ${show(version)}; known are 1 to ${MAX_VERSION}`,
  );
}

async function checkByteOrder(
  source: ByteSource,
  files: ReadonlyMap<string, ZipEntry>,
): Promise<void> {
  const entry = files.get('byteorder');
  if (entry === undefined) return;
  const order = await readText(source, entry);
  check(
    order === 'little',
    'UNSUPPORTED',
    () =>
      `${source.name} has the byte order ${show(order)}; write it again on a little-endian ` +
      'computer',
  );
}

async function readText(source: ByteSource, entry: ZipEntry): Promise<string> {
  return new TextDecoder().decode(await readZipEntry(source, entry, 64)).trimEnd();
}

/** Where the first element is, in the file. Its storage must have the size that the pickle says. */
function offsetOf(
  { name, dtype, offset, storage }: TensorView,
  files: ReadonlyMap<string, ZipEntry>,
  source: ByteSource,
): number {
  const file = storageFile(storage);
  const entry = fileOf(files, file, source);
  bad(
    entry.size === storage.byteLength,
    () =>
      `${source.name}: ${show(name)} needs ${storage.byteLength} bytes of ${show(file)}, which ` +
      `has ${entry.size}`,
  );
  return entry.offset + offset * DTYPE_BYTES[dtype];
}

const storageFile = ({ key }: Storage): string => `data/${key}`;

function fileOf(files: ReadonlyMap<string, ZipEntry>, name: string, source: ByteSource): ZipEntry {
  const entry = files.get(name);
  bad(
    entry !== undefined,
    () => `${source.name} has no ${show(name)}; was it written with torch.save?`,
  );
  return entry;
}

function tensorAt(
  source: ByteSource,
  { name, dtype, shape, strides }: TensorView,
  offset: number,
): CheckpointTensor {
  const byteLength = elementCount(shape) * DTYPE_BYTES[dtype];
  return isRowMajor(shape, strides)
    ? new RowMajorTensor(source, { name, dtype, shape, offset, byteLength })
    : new StridedTensor(source, { name, dtype, shape, offset, byteLength, strides });
}

function bad(condition: boolean, message: () => string): asserts condition {
  check(condition, 'BAD_CHECKPOINT', message);
}
