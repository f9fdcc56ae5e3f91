/** Opens what `reference/make_golden.py` wrote. */
import { fileURLToPath } from 'node:url';
import { openFile } from '../../src/checkpoint/file.js';
import { openModelDirectory } from '../../src/checkpoint/open.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import { ExactKernels } from '../../src/kernels/exact.js';
import type { Row } from '../../src/kernels/kernels.js';
import { Llama } from '../../src/model/llama.js';
import type { NumericsName } from '../../src/ops/rounding.js';
import type { Floats, Tensor } from '../../src/tensor.js';

export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));
}

export async function openGolden(name: string, numerics: NumericsName): Promise<Llama> {
  const { config, checkpoint } = await openModelDirectory(goldenPath(name));
  return new Llama(config, checkpoint, { kernels: new ExactKernels(numerics) });
}

/** Every floating-point tensor of a golden file. */
export async function readTensors(name: string): Promise<Map<string, Tensor>> {
  const file = await openSafetensors(await openFile(goldenPath(name)));
  const tensors = new Map<string, Tensor>();
  for (const [key, tensor] of file.tensors) {
    if (tensor.dtype !== 'I64') tensors.set(key, { shape: tensor.shape, data: await tensor.read() });
  }
  await file.close();
  return tensors;
}

/** An I64 tensor of a golden file: token ids, positions. */
export async function readIntegers(name: string, key: string): Promise<number[]> {
  const source = await openFile(goldenPath(name));
  const file = await openSafetensors(source);
  const tensor = file.tensors.get(key);
  if (tensor === undefined) throw new Error(`${name} has no ${key}`);
  const bytes = new Uint8Array(tensor.byteLength);
  await source.readInto(tensor.offset, bytes);
  await file.close();
  return Array.from(new BigInt64Array(bytes.buffer), Number);
}

/** The rows that continue `sequence` with `tokens`. */
export function continuing(sequence: Row['sequence'], tokens: readonly number[]): Row[] {
  return tokens.map((token, i) => ({ token, position: sequence.length + i, sequence }));
}

/** Logits [tokens, V] of all tokens, fed in chunks of `chunk`. */
export async function allLogits(model: Llama, tokens: readonly number[], chunk = tokens.length): Promise<Floats> {
  const sequence = model.createSequence();
  const logits = new Float64Array(tokens.length * model.config.vocabSize);
  for (let start = 0; start < tokens.length; start += chunk) {
    const rows = continuing(sequence, tokens.slice(start, start + chunk));
    const { data } = await model.forward(rows, { logitsFor: [...rows.keys()] });
    logits.set(data, start * model.config.vocabSize);
  }
  sequence.dispose();
  return logits;
}
