/**
 * A checkpoint over several files, as Hugging Face writes it: `model.safetensors.index.json` is
 *
 *     { "metadata": { "total_size": bytes },
 *       "weight_map": { tensor name: "model-00001-of-00002.safetensors", … } }
 *
 * and `pytorch_model.bin.index.json` the same for files that end in .bin. `total_size` is not
 * compared with anything: writers disagree on whether shared tensors count once, and every shard
 * itself already says, byte for byte, what is in it.
 */

import { check, show } from '../base/errors.js';
import { isObject } from '../base/json.js';
import type { Checkpoint, CheckpointTensor } from '../model/checkpoint.js';

/** What the names of a format's shards end in. */
export type ShardExtension = '.safetensors' | '.bin';

/**
 * The file that each tensor is in, by the tensor's name.
 *
 * @param index the parsed JSON of the index
 * @param name for messages: the path of the index
 * @throws {LlamaError} BAD_CHECKPOINT if the index is broken, or names anything but files of that
 * extension beside it.
 */
export function parseWeightMap(
  index: unknown,
  name: string,
  extension: ShardExtension,
): Map<string, string> {
  const weightMap = isObject(index) ? index.weight_map : undefined;
  check(
    isObject(weightMap),
    'BAD_CHECKPOINT',
    () => `${name}: weight_map is ${show(weightMap)}, not an object of tensor name → file name`,
  );
  for (const [tensor, fileName] of Object.entries(weightMap)) {
    check(
      isPlainFileName(fileName) && fileName.endsWith(extension),
      'BAD_CHECKPOINT',
      () =>
        `${name}: ${show(tensor)} is in ${show(fileName)}; only names of ${extension} files ` +
        'beside the index are followed',
    );
  }
  return new Map(Object.entries(weightMap as Record<string, string>));
}

/**
 * Opens every shard that `weightMap` names.
 *
 * @param name for messages: the path of the index
 * @param openShard opens the file of that name
 * @throws {LlamaError} BAD_CHECKPOINT if index and shards do not hold exactly the same tensors;
 * otherwise what `openShard` throws. Nothing stays open then.
 */
export async function openShards(
  weightMap: ReadonlyMap<string, string>,
  name: string,
  openShard: (fileName: string) => Promise<Checkpoint>,
): Promise<Checkpoint> {
  const shards = new Map<string, Checkpoint>();
  const close = async () => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const fileName of new Set(weightMap.values()))
      shards.set(fileName, await openShard(fileName));
    return { name, tensors: mergeTensors(weightMap, shards, name), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** No directories, no drive letters, no "..": an index must not reach outside its own directory. */
function isPlainFileName(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]+\.\w+$/.test(value);
}

/**
 * The tensors of all shards, in the order of the shards; each must be where the index says, and
 * nowhere else.
 */
function mergeTensors(
  weightMap: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, Checkpoint>,
  name: string,
): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  for (const [fileName, shard] of shards) {
    for (const tensor of shard.tensors.values()) {
      const expected = weightMap.get(tensor.name);
      check(
        expected === fileName,
        'BAD_CHECKPOINT',
        () =>
          `${shard.name} has the tensor ${show(tensor.name)}, which ${name} ` +
          `${expected ? `puts in ${expected}` : 'does not list'}`,
      );
      tensors.set(tensor.name, tensor);
    }
  }
  for (const [tensor, fileName] of weightMap) {
    check(
      tensors.has(tensor),
      'BAD_CHECKPOINT',
      () =>
        `${name} puts the tensor ${show(tensor)} in ${fileName}, which does not have it; fetch ` +
        'that file again',
    );
  }
  return tensors;
}
