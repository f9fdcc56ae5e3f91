/**
 * Weights as safetensors files, cut and named as Hugging Face's `save_pretrained` does
 * (huggingface_hub, serialization/_base.py).
 */

import { tensorBytes } from '../../files/safetensors/header.js';
import { writeSafetensors } from '../../files/safetensors/writer.js';
import type { CheckpointTensor } from '../../model/checkpoint.js';
import type { FloatDType } from '../../model/dtypes.js';
import { fileOf, fileWith, type OutputFile } from '../output.js';
import { type Recoder, recodeTensor } from '../recoder.js';

export interface TensorToWrite {
  readonly tensor: CheckpointTensor;
  readonly dtype: FloatDType;
}

/** transformers looks at it to know who wrote the file. */
const METADATA = new Map([['format', 'pt']]);

/** One file, or, if `tensors` take more than `shardSize` bytes, several and their index. */
export async function safetensorsFiles(
  tensors: readonly TensorToWrite[],
  shardSize: number,
  recoder: Recoder,
): Promise<OutputFile[]> {
  const shards = cut(tensors, shardSize);
  if (shards.length === 1) return [await shardFile('model.safetensors', tensors, recoder)];
  const nameOf = (shard: number) =>
    `model-${fiveDigits(shard + 1)}-of-${fiveDigits(shards.length)}.safetensors`;
  const files: OutputFile[] = [];
  for (const [i, shard] of shards.entries()) files.push(await shardFile(nameOf(i), shard, recoder));
  const places = shards.flatMap((shard, i) =>
    shard.map(({ tensor }) => [tensor.name, nameOf(i)] as const),
  );
  return [...files, indexFile(new Map(places), totalBytes(tensors))];
}

/** In the order given; a new shard begins where the next tensor would make one too large. */
function cut(tensors: readonly TensorToWrite[], shardSize: number): TensorToWrite[][] {
  const shards: TensorToWrite[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const more = bytesOf(tensor);
    if (bytes > 0 && bytes + more > shardSize) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += more;
  }
  return shards;
}

function shardFile(
  name: string,
  tensors: readonly TensorToWrite[],
  recoder: Recoder,
): Promise<OutputFile> {
  const inputs = tensors.map(({ tensor, dtype }) => ({
    name: tensor.name,
    dtype,
    shape: tensor.shape,
    chunks: recodeTensor(tensor, dtype, recoder),
  }));
  return fileOf(name, writeSafetensors(inputs, METADATA), totalBytes(tensors));
}

function indexFile(weightMap: ReadonlyMap<string, string>, totalSize: number): OutputFile {
  const weight_map = Object.fromEntries([...weightMap].sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = JSON.stringify({ metadata: { total_size: totalSize }, weight_map }, null, 2);
  return fileWith('model.safetensors.index.json', Buffer.from(`${text}\n`));
}

const bytesOf = ({ tensor, dtype }: TensorToWrite): number => tensorBytes(dtype, tensor.shape);
const totalBytes = (tensors: readonly TensorToWrite[]): number =>
  tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
const fiveDigits = (number: number): string => String(number).padStart(5, '0');
