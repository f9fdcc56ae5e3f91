/**
 * A checkpoint over several safetensors files, as Hugging Face writes it: `model.safetensors.index.json` is
 *
 *     { "metadata": { "total_size": bytes }, "weight_map": { tensor name: "model-00001-of-00002.safetensors", … } }
 *
 * `total_size` is not compared with anything: writers disagree on whether shared tensors count once, and every shard's own
 * header already says, byte for byte, what is in it.
 */

import { check, show } from '../errors.js';
import type { Checkpoint, CheckpointTensor } from './checkpoint.js';
import { isObject } from './json.js';
import { openSafetensors, type SafetensorsFile } from './safetensors.js';
import type { ByteSource } from './source.js';

/**
 * Opens every shard that `index` names.
 *
 * @param index the parsed JSON of the index
 * @param name for messages: the path of the index
 * @param openShard opens the file of that name beside the index
 * @throws {LlamaError} BAD_CHECKPOINT if the index is broken, a name is a path, or index and shards do not hold exactly the
 * same tensors; otherwise what `openShard` and the shards throw. Nothing stays open then.
 */
export async function openShards(
  index: unknown,
  name: string,
  openShard: (fileName: string) => Promise<ByteSource>,
): Promise<Checkpoint> {
  const weightMap = parseWeightMap(index, name);
  const shards = new Map<string, SafetensorsFile>();
  const close = async () => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const fileName of new Set(weightMap.values())) {
      shards.set(fileName, await openSafetensors(await openShard(fileName)));
    }
    return { name, tensors: mergeTensors(weightMap, shards, name), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function parseWeightMap(index: unknown, name: string): Map<string, string> {
  const weightMap = isObject(index) ? index.weight_map : undefined;
  check(
    isObject(weightMap),
    'BAD_CHECKPOINT',
    () => `${name}: weight_map is ${show(weightMap)}, not an object of tensor name → file name`,
  );
  for (const [tensor, fileName] of Object.entries(weightMap)) {
    check(
      isPlainFileName(fileName),
      'BAD_CHECKPOINT',
      () =>
        `${name}: ${show(tensor)} is in ${show(fileName)}; only names of .safetensors files beside the index are followed`,
    );
  }
  return new Map(Object.entries(weightMap as Record<string, string>));
}

/** No directories, no drive letters, no "..": an index must not reach outside its own directory. */
function isPlainFileName(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]+\.safetensors$/.test(value);
}

/** The tensors of all shards, in the order of the shards; each must be where the index says, and nowhere else. */
function mergeTensors(
  weightMap: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, SafetensorsFile>,
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
          `${shard.name} has the tensor ${show(tensor.name)}, which ${name} ${expected ? `puts in ${expected}` : 'does not list'}`,
      );
      tensors.set(tensor.name, tensor);
    }
  }
  for (const [tensor, fileName] of weightMap) {
    check(
      tensors.has(tensor),
      'BAD_CHECKPOINT',
      () => `${name} puts the tensor ${show(tensor)} in ${fileName}, which does not have it; fetch that file again`,
    );
  }
  return tensors;
}
