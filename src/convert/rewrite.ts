/** A model from its files to other files: what converting and quantizing have in common. */

import { basename } from 'node:path';
import { availableCores } from '../base/cores.js';
import { abortSignal, boolean, callback, integer, type OptionTable } from '../base/options.js';
import { elementCount } from '../base/tensor.js';
import type { NumberDType } from '../files/rows.js';
import type { CheckpointTensor } from '../model/checkpoint.js';
import { destinationOf, isGgufPath } from './destination.js';
import { type OutputFile, type WriteHooks, writeOutput } from './output.js';
import type { Recoder } from './recoder.js';
import { RecoderPool } from './recoder-pool.js';
import { openSource, type Source } from './source.js';

export interface RewriteOptions extends WriteHooks {
  /** Replace the file that is there. Default false. Directories are never replaced. */
  readonly force?: boolean | undefined;
  /**
   * To convert numbers with, 1 … 64; the files are the same. Default: one for each core that this
   * process may use.
   */
  readonly threads?: number | undefined;
}

/** What there is in the end. */
export interface Written {
  /** The directory or the file. */
  readonly output: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** Of all files. */
  readonly bytes: number;
  readonly tensors: number;
  /** By number format: how many numbers are in it. */
  readonly dtypes: Readonly<Record<string, number>>;
  /** Tensors whose new format may not hold their numbers exactly. */
  readonly rounded: number;
  /**
   * What the model's files say or hold besides, and was not written, and which matrices have other
   * formats than the type's: a sentence each.
   */
  readonly notes: readonly string[];
}

export interface Plan {
  /** By the names of Hugging Face. */
  readonly dtypes: ReadonlyMap<string, NumberDType>;
  readonly files: readonly OutputFile[];
  /** What the form has no place for, or has otherwise: a sentence each. Default none. */
  readonly notes?: readonly string[];
}

const MAX_THREADS = 64;

export const REWRITE: OptionTable<RewriteOptions> = {
  force: { range: boolean, help: 'Replace the file that is there.' },
  threads: {
    range: integer(1, MAX_THREADS),
    otherwise: 'one for each core that the program may use',
    value: 'N',
    help: `Threads to convert numbers with, 1 to ${MAX_THREADS}; the result is the same bytes.`,
  },
  signal: { range: abortSignal },
  onProgress: { range: callback },
  onLeftover: { range: callback },
};

/**
 * Writes the model at `path` to `output`, as `makePlan` says.
 * @throws {LlamaError} what `destinationOf`, `openSource`, `makePlan` and `writeOutput` throw; then
 * nothing was written.
 */
export async function rewrite(
  path: string,
  output: string,
  { force = false, threads = Math.min(MAX_THREADS, availableCores()), ...hooks }: RewriteOptions,
  makePlan: (source: Source, recoder: Recoder) => Promise<Plan>,
): Promise<Written> {
  const destination = await destinationOf(output, path, force);
  const source = await openSource(path);
  const recoder = new RecoderPool(threads);
  try {
    const plan = await makePlan(source, recoder);
    await writeOutput(destination, plan.files, hooks);
    return summarize(output, plan, source);
  } finally {
    await recoder.close();
    await source.checkpoint.close();
  }
}

function summarize(output: string, plan: Plan, { checkpoint, notes }: Source): Written {
  const { dtypes, files, notes: lost = [] } = plan;
  const counts: Record<string, number> = {};
  let rounded = 0;
  for (const [name, dtype] of dtypes) {
    const tensor = checkpoint.tensors.get(name)!;
    counts[dtype] = (counts[dtype] ?? 0) + elementCount(tensor.shape);
    if (!isExact(tensor.dtype, dtype)) rounded++;
  }
  return {
    output,
    files: files.map(({ name, bytes }) => ({
      name: isGgufPath(output) ? basename(output) : name,
      bytes,
    })),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    tensors: dtypes.size,
    dtypes: counts,
    rounded,
    notes: [...notes, ...lost],
  };
}

/**
 * Whether every number of the one format is one of the other: float32 holds all that is not
 * float64.
 */
function isExact(from: CheckpointTensor['dtype'], to: NumberDType): boolean {
  return from === to || (to === 'F32' && from !== 'F64');
}
