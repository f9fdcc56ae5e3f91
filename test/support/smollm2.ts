/**
 * SmolLM2-135M-Instruct, a model of real language that is not ours to ship: a GGUF file that
 * LLAMA_32K_SMOLLM2 names, which `.ci/run` fetches where it can. Without it the tests are skipped.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Floats } from '../../src/base/tensor.js';
import { readTokens } from '../../src/model/chunks.js';
import type { Llama } from '../../src/model/llama.js';
import type { Message } from '../../src/text/prompt.js';
import { goldenPath, readIntegers, readTensors } from './golden.js';

/** Undefined where there is none; says so aloud, with what is not tested. */
export function findSmollm2(what: string): string | undefined {
  const path = process.env.LLAMA_32K_SMOLLM2;
  if (path !== undefined && existsSync(path)) return path;
  console.warn(
    `\n!!! ${what}: NOT tested, there is no SmolLM2-135M-Instruct; name its file in ` +
      'LLAMA_32K_SMOLLM2: `node scripts/fetch-smollm2.js` fetches it, and prints its name !!!\n',
  );
  return undefined;
}

/** A conversation, and the 64 tokens that transformers writes after it, greedily in float32. */
export interface Prompt {
  readonly messages: readonly Message[];
  readonly prompt: readonly number[];
  readonly tokens: readonly number[];
  /** Of the best score over the next one at each step, in σ. */
  readonly margins: readonly number[];
  readonly text: string;
}

export const goldenPrompts: readonly Prompt[] = JSON.parse(
  readFileSync(goldenPath('smollm2/prompts.json'), 'utf8'),
);

/** Some of the logits at one position of a prompt and what was written after it. */
export interface Sample {
  readonly position: number;
  readonly ids: readonly number[];
  /** In float32, and in float64. */
  readonly logits: Floats;
  readonly truth: Floats;
  /** Standard deviation of all logits there. */
  readonly sigma: number;
}

/** Of prompt `number`, by `reference/make_smollm2.py`. */
export async function readSamples(number: number): Promise<Sample[]> {
  const file = 'smollm2/logits.safetensors';
  const tensors = await readTensors(file);
  const [places, ids] = await Promise.all(['places', 'ids'].map(key => readIntegers(file, key)));
  const [logits, truth, sigma] = ['logits', 'truth', 'sigma'].map(key => tensors.get(key)!.data);
  const width = ids.length / sigma.length;
  const place = (i: number) => [i * width, (i + 1) * width] as const;
  return Array.from(sigma, (_, i) => ({
    number: places[2 * i],
    position: places[2 * i + 1],
    ids: ids.slice(...place(i)),
    logits: logits.subarray(...place(i)),
    truth: truth.subarray(...place(i)),
    sigma: sigma[i],
  })).filter(sample => sample.number === number);
}

/** Logits at `positions` of `tokens`, in order. */
export async function logitsAt(
  model: Llama,
  tokens: readonly number[],
  positions: readonly number[],
): Promise<Map<number, Floats>> {
  const found = new Map<number, Floats>();
  const wants = (index: number) => positions.includes(index);
  for await (const { index, logits } of readTokens(model, tokens, { wants })) {
    found.set(index, logits);
  }
  return found;
}
