/**
 * Random models as PyTorch saved them, and as Llama-2-7B-32K-Instruct was published: float16, in
 * shards of at most 10 GB with an index. The numbers are those of `random-checkpoint.ts`.
 */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { elementCount } from '../src/base/tensor.js';
import { parseConfig } from '../src/files/config-json/config-json.js';
import { expectedWeights } from '../src/model/weights.js';
import {
  dict,
  filesOf,
  ints,
  pickleOf,
  storageClass,
  tensor,
  text,
} from '../test/files/pytorch/pickle-support.js';
import { type ZipSpec, zipParts } from '../test/files/zip/zip-support.js';
import { configJson, numbersOf } from './random-checkpoint.js';
import { randomNumbers } from './random-weights.js';
import type { Shape } from './shapes.js';

const LARGEST_SHARD = 10e9;
const INDEX = 'pytorch_model.bin.index.json';

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/**
 * Makes the directory `path`, with config.json, shards and, last of all, their index, if that is
 * not there yet.
 */
export async function makeRandomPytorch(path: string, shape: Shape): Promise<void> {
  if (await stat(join(path, INDEX)).catch(() => undefined)) return;
  const config = configJson(shape);
  const shards = shardsOf(
    [...expectedWeights(parseConfig(config))].map(([name, sizes]) => ({
      name,
      shape: sizes,
      bytes: 2 * elementCount(sizes),
    })),
  );
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'config.json'), JSON.stringify(config, null, 2));
  const files: Record<string, string> = {};
  for (const [i, weights] of shards.entries()) {
    const number = (n: number) => String(n).padStart(5, '0');
    const file = `pytorch_model-${number(i + 1)}-of-${number(shards.length)}.bin`;
    await writeFile(join(path, file), shardBytes(weights), { flush: true });
    for (const { name } of weights) files[name] = file;
  }
  await writeFile(join(path, INDEX), JSON.stringify({ metadata: {}, weight_map: files }));
}

function shardsOf(weights: readonly Weight[]): Weight[][] {
  const shards: Weight[][] = [[]];
  let bytes = 0;
  for (const weight of weights) {
    if (bytes + weight.bytes > LARGEST_SHARD) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(weight);
    bytes += weight.bytes;
  }
  return shards;
}

/** One zip file: each weight is a storage of its own. */
function* shardBytes(weights: readonly Weight[]): Generator<Uint8Array> {
  const tensors = weights.flatMap(({ name, shape, bytes }, key) => [
    text(name),
    tensor({
      storage: storageClass('HalfStorage'),
      key: text(String(key)),
      numel: bytes / 2,
      size: ints(...shape),
      stride: ints(...shape.map((_, i) => elementCount(shape.slice(i + 1)))),
    }),
  ]);
  const entries: ZipSpec[] = [
    ...filesOf(pickleOf(dict(...tensors)), {}),
    ...weights.map(({ bytes }, key) => ({ name: `archive/data/${key}`, data: bytes })),
  ];
  const numbers = randomNumbers();
  const waiting = [...weights];
  let at = 0;
  for (const { offset, bytes } of zipParts(entries)) {
    if (offset > at) {
      const { name, shape } = waiting.shift()!; // whose place is before this part
      yield* numbersOf(numbers, name, shape, 'F16');
    }
    yield bytes;
    at = offset + bytes.length;
  }
}
