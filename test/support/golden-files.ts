/** Opens what `reference/make_golden.py` wrote: for the tests. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '../../src/base/tensor.js';
import { ExactEngine } from '../../src/engines/exact/exact-engine.js';
import { openFile } from '../../src/files/file.js';
import { openSafetensors } from '../../src/files/safetensors/safetensors.js';
import { openModelDirectory } from '../../src/load/model-files.js';
import type { LlamaConfig } from '../../src/model/config.js';
import { Llama } from '../../src/model/llama.js';
import type { NumericsName } from '../../src/ops/rounding.js';

export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));
}

/**
 * The golden model `name`; with `changes` to its configuration it is another model on the same
 * weights.
 */
export async function openGolden(
  name: string,
  numerics: NumericsName,
  changes: Partial<LlamaConfig> = {},
): Promise<Llama> {
  const { config, checkpoint } = await openModelDirectory(goldenPath(name));
  const changed = { ...config, ...changes };
  return new Llama(changed, new ExactEngine(changed, checkpoint, { numerics }));
}

/** Every floating-point tensor of a golden file. */
export async function readTensors(name: string): Promise<Map<string, Tensor>> {
  const file = await openSafetensors(await openFile(goldenPath(name)));
  const tensors = new Map<string, Tensor>();
  for (const [key, tensor] of file.tensors) {
    if (tensor.dtype !== 'I64')
      tensors.set(key, { shape: tensor.shape, data: await tensor.read() });
  }
  await file.close();
  return tensors;
}

/** An I64 tensor of a golden file: token ids, positions. */
export async function readIntegers(name: string, key: string): Promise<number[]> {
  const file = await openSafetensors(await openFile(goldenPath(name)));
  const tensor = file.tensors.get(key);
  if (tensor === undefined) throw new Error(`${name} has no ${key}`);
  const bytes = await tensor.readBytes();
  await file.close();
  return Array.from(new BigInt64Array(bytes.buffer as ArrayBuffer), Number);
}

/** A held-out prompt, what transformers replies to it, greedily in float32, and what is right. */
export interface GreedyReply {
  readonly task: string;
  readonly prompt: string;
  readonly wanted: string;
  /** With BOS. */
  readonly promptTokens: number;
  readonly reply: string;
  /** Of the reply, with the end of text. */
  readonly tokens: readonly number[];
}

/** What `reference/train/replies.py` wrote for the golden model `name`. */
export async function readGreedyReplies(name: string): Promise<GreedyReply[]> {
  return JSON.parse(await readFile(goldenPath(`${name}/greedy.json`), 'utf8'));
}
