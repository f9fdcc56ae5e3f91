/**
 * The files of a model's directory that hold its weights, by the names Hugging Face gives them:
 *
 *     model.safetensors   or in several files: model.safetensors.index.json
 *     pytorch_model.bin   or in several files: pytorch_model.bin.index.json
 *
 * The first of these four that is there with all its shards is opened, as `from_pretrained` does.
 */

import { join } from 'node:path';
import { LlamaError } from '../base/errors.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { openFile, readJson } from './file.js';
import { openPytorch } from './pytorch/pytorch.js';
import { openSafetensors } from './safetensors/safetensors.js';
import { openShards, parseWeightMap, type ShardExtension } from './shards.js';
import type { ByteSource } from './source.js';

interface Format {
  readonly single: string;
  readonly index: string;
  readonly extension: ShardExtension;
  readonly open: (source: ByteSource) => Promise<Checkpoint>;
}

const FORMATS: readonly Format[] = [
  {
    single: 'model.safetensors',
    index: 'model.safetensors.index.json',
    extension: '.safetensors',
    open: openSafetensors,
  },
  {
    single: 'pytorch_model.bin',
    index: 'pytorch_model.bin.index.json',
    extension: '.bin',
    open: openPytorch,
  },
];

/** What `chooseWeightFiles` looks for. */
export const WEIGHT_FILES: readonly string[] = FORMATS.flatMap(({ single, index }) => [
  single,
  index,
]);

export interface WeightFiles {
  readonly format: Format;
  /** The one file, or the index and all its shards. */
  readonly names: readonly string[];
  /** The shard that each tensor is in; undefined if there is one file. */
  readonly weightMap: ReadonlyMap<string, string> | undefined;
}

/**
 * @param path the directory
 * @param files the names of what is in it
 * @throws {LlamaError} NOT_FOUND, UNSUPPORTED or BAD_CHECKPOINT, saying what is there and what is
 * not.
 */
export async function openWeightFiles(path: string, files: readonly string[]): Promise<Checkpoint> {
  const chosen = await chooseWeightFiles(path, files, index =>
    readJson(join(path, index), 'BAD_CHECKPOINT'),
  );
  if (chosen === undefined) throw nothingToOpen(path, files);
  const { format, weightMap } = chosen;
  const openOne = async (fileName: string) => format.open(await openFile(join(path, fileName)));
  if (weightMap === undefined) return openOne(format.single);
  return openShards(weightMap, join(path, format.index), openOne); // which says what is missing
}

/**
 * Those of `files` that hold the weights. Where no format has all its shards, the first that has an
 * index.
 *
 * @param path for messages: where they are
 * @param readIndex the JSON in the file of that name
 * @throws {LlamaError} BAD_CHECKPOINT if an index is broken.
 */
export async function chooseWeightFiles(
  path: string,
  files: readonly string[],
  readIndex: (name: string) => Promise<unknown>,
): Promise<WeightFiles | undefined> {
  let incomplete: WeightFiles | undefined;
  for (const format of FORMATS) {
    const { single, index, extension } = format;
    if (files.includes(single)) return { format, names: [single], weightMap: undefined };
    if (!files.includes(index)) continue;
    const weightMap = parseWeightMap(await readIndex(index), join(path, index), extension);
    const names = [index, ...new Set(weightMap.values())];
    if (names.every(name => files.includes(name))) return { format, names, weightMap };
    incomplete ??= { format, names, weightMap };
  }
  return incomplete;
}

function nothingToOpen(path: string, files: readonly string[]): LlamaError {
  const shard = files.find(file =>
    /^(model|pytorch_model)-\d+-of-\d+\.(safetensors|bin)$/.test(file),
  );
  if (shard !== undefined) {
    const { index } = FORMATS.find(({ extension }) => shard.endsWith(extension))!;
    return new LlamaError(
      'NOT_FOUND',
      `${join(path, shard)} is one of several files, but ${index} is not there; fetch it`,
    );
  }
  const gguf = files.find(file => file.endsWith('.gguf'));
  if (gguf !== undefined) {
    return new LlamaError(
      'UNSUPPORTED',
      `there are neither safetensors nor pytorch_model.bin in ${path}, but there is ${gguf}; ` +
        'give the path of that file instead of its directory',
    );
  }
  return new LlamaError(
    'NOT_FOUND',
    `there is none of ${WEIGHT_FILES.join(', ')} in ${path}${thereIs(files)}`,
  );
}

/** What is in a directory, for the end of a message. */
export function thereIs(files: readonly string[]): string {
  if (files.length === 0) return ', which is empty';
  return `; there is: ${files.slice(0, 10).join(', ')}${files.length > 10 ? ' …' : ''}`;
}
