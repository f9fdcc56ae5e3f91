/** The same model in another form: a GGUF file, or a directory as Hugging Face has it. */

import { check } from '../base/errors.js';
import { checkOption, isIntegerFrom } from '../base/options.js';
import { isGgufPath } from './destination.js';
import { directoryPlan } from './directory/directory-plan.js';
import { ggufPlan } from './gguf/gguf-plan.js';
import { checkRewriteOptions, type RewriteOptions, rewrite, type Written } from './rewrite.js';

const DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;

export type ConvertType = keyof typeof DTYPES;
export const CONVERT_TYPES = Object.keys(DTYPES) as ConvertType[];

/** transformers' own, in bytes. */
export const DEFAULT_SHARD_SIZE = 5e9;

/** How `convertModel` writes a model. */
export interface ConvertOptions extends RewriteOptions {
  /**
   * The number format of all tensors; of vectors, in a GGUF file, float32 in any case. Default:
   * each keeps the one that it has, so that no number changes.
   */
  readonly type?: ConvertType | undefined;
  /**
   * Of a directory: what takes more bytes of weights is written as several files of at most so
   * many, or of one tensor. Default 5 GB.
   */
  readonly shardSize?: number | undefined;
}

/**
 * Writes the model at `source`, a directory or a GGUF file, to `output`: a GGUF file if that name
 * ends in .gguf, otherwise a directory, which must not be there, or be empty; links are followed.
 * Takes little memory, whatever the size of the model. If it fails nothing is left at `output`.
 *
 * @throws {LlamaError} BAD_OPTION, NOT_FOUND, UNSUPPORTED for what the form has no room for,
 * NOT_FINITE for a number that the format does not hold, WRITE_FAILED if the disk is full or
 * refuses; and what is wrong with the model.
 */
export async function convertModel(
  source: string,
  output: string,
  options: ConvertOptions = {},
): Promise<Written> {
  checkRewriteOptions(options, ['type', 'shardSize']);
  const { type, shardSize = DEFAULT_SHARD_SIZE, ...others } = options;
  const isKnown = type === undefined || CONVERT_TYPES.includes(type);
  checkOption('type', type, isKnown, `one of ${CONVERT_TYPES.join(', ')}`);
  checkOption('shardSize', shardSize, isIntegerFrom(shardSize, 1), 'a number of bytes, 1 or more');
  const isUseless = isGgufPath(output) && options.shardSize !== undefined;
  check(
    !isUseless,
    'BAD_OPTION',
    () => 'shardSize has no effect with a GGUF file, which is one; it is for directories',
  );
  const dtype = type && DTYPES[type];
  return rewrite(source, output, others, (opened, recoder) =>
    isGgufPath(output)
      ? ggufPlan(opened, dtype, recoder)
      : directoryPlan(opened, dtype, shardSize, recoder),
  );
}
