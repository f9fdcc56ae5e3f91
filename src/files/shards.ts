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

import { check, firstOf, show } from '../base/errors.js';
import { isObject } from '../base/json.js';
import type { Checkpoint, CheckpointTensor } from '../model/checkpoint.js';
import { identifyAll } from './identity.js';
import { mergeTensors } from './merge-tensors.js';

/** What the names of a format's shards end in. */
export type ShardExtension = '.safetensors' | '.bin';

/**
 * The file that each tensor is in, by the tensor's name.
 *
 * @param index the parsed JSON of the index
 * @param name for messages: the path of the index
 * @throws {LlamaError} BAD_CHECKPOINT if the index is broken, or names anything but files of that
 * extension in its directory or below.
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
      isPathInside(fileName) && fileName.endsWith(extension),
      'BAD_CHECKPOINT',
      () =>
        `${name}: ${show(tensor)} is in ${show(fileName)}; only ${extension} files in ` +
        'the directory of the index are followed',
    );
  }
  return new Map(Object.entries(weightMap as Record<string, string>));
}

/**
 * Opens the shards `fileNames` of those that `weightMap` names. Where a tensor is does not matter,
 * as it does not for transformers; one that the index lists and no shard has is told in a note.
 *
 * @param name for messages: the path of the index
 * @param openShard opens the file of that name
 * @param isNeeded whether the model needs the tensor of that name
 * @throws {LlamaError} BAD_CHECKPOINT if a needed tensor is in two shards and differs; otherwise
 * what `openShard` throws. Nothing stays open then.
 */
export async function openShards(
  weightMap: ReadonlyMap<string, string>,
  fileNames: Iterable<string>,
  name: string,
  openShard: (fileName: string) => Promise<Checkpoint>,
  isNeeded?: (name: string) => boolean,
): Promise<Checkpoint> {
  const shards: Checkpoint[] = [];
  const close = async () => {
    for (const shard of shards) await shard.close();
  };
  try {
    for (const fileName of fileNames) shards.push(await openShard(fileName));
    const tensors = await mergeTensors(shards, isNeeded);
    const notes = shards.flatMap(shard => shard.notes ?? []);
    return {
      name,
      tensors,
      notes: [...notes, ...absent(weightMap, tensors, name)],
      identify: () => identifyAll(shards),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the index promises and no file holds. */
function absent(
  weightMap: ReadonlyMap<string, string>,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  name: string,
): string[] {
  const places = [...weightMap]
    .filter(([tensor]) => !tensors.has(tensor))
    .map(([tensor, fileName]) => `${tensor} in ${fileName}`);
  return places.length === 0
    ? []
    : [`${name} lists what its files do not have: ${firstOf(places)}`];
}

/**
 * A path inside the directory of the index, as it is written with slashes: an index must not reach
 * out of there, by "..", a drive letter or the root.
 */
function isPathInside(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    !/[\\\p{Cc}]|^[A-Za-z]:/u.test(value) &&
    value.split('/').every(part => part !== '' && part !== '.' && part !== '..')
  );
}
