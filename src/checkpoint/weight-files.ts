/**
 * The files of a model's directory that hold its weights, by the names Hugging Face gives them:
 *
 *     model.safetensors   or in several files: model.safetensors.index.json
 *     pytorch_model.bin   or in several files: pytorch_model.bin.index.json
 *
 * The first of these four that is there with all its shards is opened, as `from_pretrained` does.
 */

import { join } from 'node:path';
import { LlamaError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import { openFile, readJson } from './file.js';
import { openPytorch } from './pytorch.js';
import { openSafetensors } from './safetensors.js';
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
  { single: 'pytorch_model.bin', index: 'pytorch_model.bin.index.json', extension: '.bin', open: openPytorch },
];

interface Candidate {
  readonly complete: boolean;
  readonly open: () => Promise<Checkpoint>;
}

/**
 * @param path the directory
 * @param files the names of what is in it
 * @throws {LlamaError} NOT_FOUND, UNSUPPORTED or BAD_CHECKPOINT, saying what is there and what is not.
 */
export async function openWeightFiles(path: string, files: readonly string[]): Promise<Checkpoint> {
  let incomplete: Candidate | undefined;
  for (const format of FORMATS) {
    const candidate = await candidateOf(format, path, files);
    if (candidate?.complete) return candidate.open();
    incomplete ??= candidate;
  }
  if (incomplete === undefined) throw nothingToOpen(path, files);
  return incomplete.open(); // which says what is missing
}

async function candidateOf(format: Format, path: string, files: readonly string[]): Promise<Candidate | undefined> {
  const openOne = async (fileName: string) => format.open(await openFile(join(path, fileName)));
  if (files.includes(format.single)) return { complete: true, open: () => openOne(format.single) };
  if (!files.includes(format.index)) return undefined;
  const index = join(path, format.index);
  const weightMap = parseWeightMap(await readJson(index, 'BAD_CHECKPOINT'), index, format.extension);
  const complete = [...weightMap.values()].every(fileName => files.includes(fileName));
  return { complete, open: () => openShards(weightMap, index, openOne) };
}

function nothingToOpen(path: string, files: readonly string[]): LlamaError {
  const shard = files.find(file => /^(model|pytorch_model)-\d+-of-\d+\.(safetensors|bin)$/.test(file));
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
      `there are neither safetensors nor pytorch_model.bin in ${path}, but there is ${gguf}; give the path of that file instead of its directory`,
    );
  }
  const names = FORMATS.flatMap(({ single, index }) => [single, index]).join(', ');
  return new LlamaError('NOT_FOUND', `there is none of ${names} in ${path}${thereIs(files)}`);
}

/** What is in a directory, for the end of a message. */
export function thereIs(files: readonly string[]): string {
  if (files.length === 0) return ', which is empty';
  return `; there is: ${files.slice(0, 10).join(', ')}${files.length > 10 ? ' …' : ''}`;
}
