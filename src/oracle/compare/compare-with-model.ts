/** The whole comparison, from the path of a model and what somebody computed. */
import { openModelFiles } from '../../load/model-files.js';
import type { LlamaConfig } from '../../model/config.js';
import type { FloatDType } from '../../model/dtypes.js';
import type { CompareOptions } from '../case.js';
import { GROSS_BUG, MUTANTS } from '../mutants/mutants.js';
import { assumedType } from '../noise/assumed-type.js';
import { declaredType, type Precision } from '../noise/types.js';
import type { Observed } from '../observed/observed.js';
import type { Comparison } from '../result.js';
import { compare } from './compare.js';

/** What somebody computed of a text. */
export interface Theirs {
  readonly tokens: readonly number[];
  readonly observed: readonly Observed[];
  /** In which their numbers were written, as far as that tells their arithmetic. */
  readonly dtypes?: readonly FloatDType[] | undefined;
  /** What is to be known of them: a sentence each. */
  readonly notes?: readonly string[] | undefined;
}

/** How a comparison is made. */
export interface ComparisonOptions extends Omit<CompareOptions, 'mutants' | 'grossBug'> {
  /**
   * The type in which they compute: f32, f16, bf16, or a block format. Default: that of the model's
   * blocks, or else that of their numbers.
   */
  readonly type?: string | undefined;
  /** The type in which they keep keys and values. Default: what goes with their type. */
  readonly cache?: Precision | undefined;
  /** Told what the files of the model hold besides. */
  readonly onNotes?: ((notes: readonly string[]) => void) | undefined;
}

/**
 * Compares with the model at `path`, a Hugging Face directory or a GGUF file; `read` is given its
 * configuration, by which their tensors are checked.
 * @throws {LlamaError} what `openModelFiles` and `read` throw; BAD_OPTION for an unknown type
 */
export async function compareWithModel(
  path: string,
  read: (config: LlamaConfig) => Theirs | Promise<Theirs>,
  { type, cache, onNotes, ...options }: ComparisonOptions = {},
): Promise<Comparison> {
  const { config, checkpoint, notes: ofFiles } = await openModelFiles(path);
  try {
    onNotes?.(ofFiles);
    const { tokens, observed, dtypes = [], notes = [] } = await read(config);
    const declared = declaredType(type ?? assumedType(checkpoint, dtypes), cache);
    const given = { model: path, config, checkpoint, type: declared, tokens, observed, notes };
    return await compare(given, { ...options, mutants: MUTANTS, grossBug: GROSS_BUG });
  } finally {
    await checkpoint.close();
  }
}
