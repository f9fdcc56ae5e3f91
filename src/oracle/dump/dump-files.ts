/** The files that another implementation can leave its tensors in. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { check, LlamaError, show } from '../../base/errors.js';
import { allocateBytes } from '../../files/dtypes.js';
import { openFile, reason } from '../../files/file.js';
import { openSafetensors, type RowMajorTensor } from '../../files/safetensors/safetensors.js';
import { isFloatDType } from '../../model/dtypes.js';
import { type Given, type GivenTensor, givenIntegers } from './given.js';
import { parseNpy } from './npy.js';
import { NPY, notArrays, openNpz } from './npz.js';
import { checkDType, decodeNumbers } from './numbers.js';

/** A dump whose tensors can be loaded until it is closed. */
export interface OpenDump extends Given {
  close(): Promise<void>;
}

/**
 * Opens a .safetensors, a .npz or a directory of .npy.
 * @throws {LlamaError} NOT_FOUND if there is nothing at `path`, UNSUPPORTED if it is something
 * else, BAD_CHECKPOINT if it is damaged.
 */
export async function openDump(path: string): Promise<OpenDump> {
  if (await isDirectory(path)) return openDirectory(path);
  if (/\.npz$/i.test(path)) return openArchive(path);
  check(
    /\.safetensors$/i.test(path),
    'UNSUPPORTED',
    () =>
      `${path} is no .safetensors, no .npz and no directory of ${NPY}; write one of these, such ` +
      'as numpy.savez("theirs.npz", tokens=…, logits=…)',
  );
  return openTensors(path);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new LlamaError('NOT_FOUND', `cannot open ${path}: ${reason(error)}`, { cause: error });
  }
}

async function openDirectory(path: string): Promise<OpenDump> {
  const names = (await readdir(path)).sort();
  const others = names.filter(name => !name.endsWith(NPY));
  const tensors = names
    .filter(name => name.endsWith(NPY))
    .map(name => ({
      name: name.slice(0, -NPY.length),
      load: async () => parseNpy(await readBytes(join(path, name)), join(path, name)),
    }));
  return { source: path, tensors, notes: notArrays(others), close: async () => {} };
}

async function readBytes(path: string): Promise<Uint8Array> {
  const source = await openFile(path);
  try {
    const bytes = allocateBytes(source.size);
    await source.readInto(0, bytes);
    return bytes;
  } finally {
    await source.close();
  }
}

async function openArchive(path: string): Promise<OpenDump> {
  const source = await openFile(path);
  try {
    return { source: path, ...(await openNpz(source)), close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The header of a trace that this program wrote has its tokens and positions. */
const IN_HEADER = ['tokens', 'positions'];

async function openTensors(path: string): Promise<OpenDump> {
  const file = await openSafetensors(await openFile(path));
  const inHeader = IN_HEADER.flatMap(name => {
    const text = file.metadata.get(name) ?? '';
    const isGiven = /^\[\d+(?:,\s*\d+)*\]$/.test(text);
    return isGiven ? [givenIntegers(name, text.slice(1, -1).split(',').map(Number))] : [];
  });
  const tensors = [...file.tensors.values()].map(tensor => tensorOf(tensor, path));
  const close = () => file.close();
  return { source: path, tensors: [...tensors, ...inHeader], notes: [], close };
}

function tensorOf(tensor: RowMajorTensor, path: string): GivenTensor {
  const { name, dtype, shape } = tensor;
  return {
    name,
    async load() {
      checkDType(dtype, `${path}: ${show(name)}`);
      const data = isFloatDType(dtype)
        ? await tensor.read()
        : decodeNumbers(dtype, await tensor.readBytes());
      return { dtype, shape, data };
    },
  };
}
