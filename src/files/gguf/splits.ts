/**
 * A GGUF file in parts, as llama.cpp's gguf-split and the converters write it:
 * model-00001-of-00003.gguf and so on. The first has all the metadata; each says which it is:
 *
 *     split.no             0, 1, …
 *     split.count          how many there are
 *     split.tensors.count  how many tensors all of them have
 */

import { check, show } from '../../base/errors.js';
import { identifyAll } from '../identity.js';
import { mergeTensors } from '../merge-tensors.js';
import type { ByteSource } from '../source.js';
import { type GgufFile, openGguf } from './gguf.js';

const PART = /^(.*)-\d{5}-of-(\d{5})\.gguf$/;

/**
 * Opens the file at `path` and, if it is one of several parts, all the others beside it, whichever
 * of them `path` is.
 *
 * @param openPart opens the file at a path
 * @throws {LlamaError} BAD_CHECKPOINT if the parts do not belong together; otherwise what
 * `openPart` and `openGguf` throw: NOT_FOUND naming a part that is missing. Nothing stays open
 * then.
 */
export async function openGgufParts(
  path: string,
  openPart: (path: string) => Promise<ByteSource>,
): Promise<GgufFile> {
  const file = await openGguf(await openPart(path));
  const parts: GgufFile[] = [];
  const close = async () => {
    for (const part of parts) await part.close();
  };
  try {
    if (countOfParts(file) === 1) return file;
    await file.close();
    checkName(path, countOfParts(file));
    for (const part of pathsOfParts(path)) parts.push(await openGguf(await openPart(part)));
    checkParts(parts);
    const identify = () => identifyAll(parts);
    return { ...parts[0], tensors: await mergeTensors(parts), identify, close };
  } catch (error) {
    await file.close();
    await close();
    throw error;
  }
}

function countOfParts(file: GgufFile): number {
  return file.metadata.has('split.count') ? splitField(file, 'split.count') : 1;
}

function splitField({ name, metadata }: GgufFile, key: string): number {
  const { type, value } = metadata.get(key) ?? { type: 'nothing', value: undefined };
  const number = typeof value === 'bigint' ? Number(value) : value;
  check(
    typeof number === 'number' && Number.isSafeInteger(number) && number >= 0,
    'BAD_CHECKPOINT',
    () => `${name}: ${key} is ${show(value)} (${type}); it must be an integer from 0 up`,
  );
  return number;
}

/** All parts of the file of which `path` is one, going by its name; or else `path` alone. */
export function pathsOfParts(path: string): string[] {
  const [, start, count] = PART.exec(path) ?? [];
  if (count === undefined) return [path];
  return Array.from(
    { length: Number(count) },
    (_, i) => `${start}-${digits(i + 1)}-of-${count}.gguf`,
  );
}

function checkName(path: string, count: number): void {
  check(
    count > 0 && Number(PART.exec(path)?.[2]) === count,
    'BAD_CHECKPOINT',
    () =>
      `${path} is one of ${count} parts (split.count), but is not named so; the others are ` +
      `looked for by their names, such as model-00001-of-${digits(count)}.gguf: rename all to ` +
      'what they were',
  );
}

const digits = (number: number): string => String(number).padStart(5, '0');

/** Each part must be the one that its name says, and together they must have as many tensors. */
function checkParts(parts: readonly GgufFile[]): void {
  for (const [index, part] of parts.entries()) {
    const number = splitField(part, 'split.no');
    check(
      number === index && countOfParts(part) === parts.length,
      'BAD_CHECKPOINT',
      () =>
        `${part.name} is part ${number + 1} of ${countOfParts(part)} (split.no, split.count); ` +
        'are the names mixed up?',
    );
  }
  const expected = splitField(parts[0], 'split.tensors.count');
  const found = parts.reduce((sum, { tensors }) => sum + tensors.size, 0);
  check(
    found === expected,
    'BAD_CHECKPOINT',
    () =>
      `${parts[0].name} announces ${expected} tensors in all parts (split.tensors.count), but ` +
      `they have ${found}`,
  );
}
