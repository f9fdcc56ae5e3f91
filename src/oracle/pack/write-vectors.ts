/**
 * A conformance pack: what comes with the package, or the same for another model.
 *
 *     manifest.json         format, model, engine, versions, and SHA-256 of every file
 *     tokens.json           {"tokens": […]}
 *     logits.safetensors    tokens [T], positions [P], logits [P, V] as F64
 *     trace.safetensors     every tensor of `src/model/trace.ts` at a few positions, as F64
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../../base/package.js';
import type { Tensor } from '../../base/tensor.js';
import { type SafetensorsInput, writeSafetensors } from '../../files/safetensors/writer.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { tensorNames } from '../../model/trace.js';
import { Subject } from '../noise/subject.js';
import { declaredType } from '../noise/types.js';
import { run, type Traced } from '../run/run.js';
import { PACK } from './pack.js';

export interface VectorsOf {
  /** For the manifest. */
  readonly model: string;
  readonly config: LlamaConfig;
  readonly checkpoint: Checkpoint;
  readonly tokens: readonly number[];
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
}

const FORMAT = 1;
const LOGITS_POSITIONS = 64;
const TRACE_POSITIONS = 6;

/** Copies the pack of the package to `directory`, which is there and empty. */
export const copyPack = (directory: string): Promise<void> =>
  cp(fileURLToPath(packageFile(PACK)), directory, { recursive: true });

/** Computes the vectors of a model in float64 and writes them to `directory`. */
export async function writeVectors(directory: string, of: VectorsOf): Promise<void> {
  const { model, config, checkpoint, tokens, version, signal } = of;
  const subject = new Subject(config, checkpoint, { ...declaredType('f32'), weights: undefined });
  const positions = spread(tokens.length, LOGITS_POSITIONS);
  const logits = await run(subject.setup(tokens), new Map([['lm_head', positions]]), { signal });
  const few = spread(tokens.length, TRACE_POSITIONS);
  const all = new Map(tensorNames(config).map(name => [name, few]));
  const traced = await run(subject.setup(tokens), all, { signal });
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'tokens.json'), `${JSON.stringify({ tokens })}\n`);
  await writeTensors(join(directory, 'logits.safetensors'), tokens, positions, logits);
  await writeTensors(join(directory, 'trace.safetensors'), tokens, few, traced);
  const files = ['tokens.json', 'logits.safetensors', 'trace.safetensors'];
  const manifest = {
    format: FORMAT,
    'written by': `llama-32k ${version} vectors, exact-f64`,
    model,
    tokens: tokens.length,
    positions: { logits: positions, trace: few },
    sha256: Object.fromEntries(
      await Promise.all(files.map(async name => [name, await sha256(join(directory, name))])),
    ),
  };
  await writeFile(join(directory, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** So many positions from the first to the last, both included. */
export function spread(length: number, count: number): number[] {
  const step = (length - 1) / Math.max(1, count - 1);
  return [...new Set(Array.from({ length: count }, (_, i) => Math.round(i * step)))].filter(
    position => position < length,
  );
}

async function writeTensors(
  path: string,
  tokens: readonly number[],
  positions: readonly number[],
  traced: Traced,
): Promise<void> {
  const numbers = [...traced].map(([name, tensor]) =>
    float64Input(name === 'lm_head' ? 'logits' : name, tensor),
  );
  const inputs = [integerInput('tokens', tokens), integerInput('positions', positions), ...numbers];
  await writeFile(path, writeSafetensors(inputs));
}

const float64Input = (name: string, { shape, data }: Tensor): SafetensorsInput => ({
  name,
  dtype: 'F64',
  shape,
  chunks: [bytesOf(Float64Array.from(data))],
});

const integerInput = (name: string, values: readonly number[]): SafetensorsInput => ({
  name,
  dtype: 'I64',
  shape: [values.length],
  chunks: [bytesOf(BigInt64Array.from(values, BigInt))],
});

const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array | BigInt64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const sha256 = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
