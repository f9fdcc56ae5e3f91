/** The same model in another form: a GGUF file, or a directory as Hugging Face has it. */

import { check } from '../base/errors.js';
import { checkOptions, integer, type OptionTable, oneOf } from '../base/options.js';
import { isGgufPath } from './destination.js';
import { directoryPlan } from './directory/directory-plan.js';
import { ggufPlan } from './gguf/gguf-plan.js';
import { REWRITE, type RewriteOptions, rewrite, type Written } from './rewrite.js';

const DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;

export type ConvertType = keyof typeof DTYPES;

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

export const CONVERT: OptionTable<ConvertOptions> = {
  type: {
    range: oneOf(Object.keys(DTYPES)),
    otherwise: 'as they are',
    value: 'T',
    help: 'Number format of the tensors: f32, f16 or bf16.',
  },
  shardSize: {
    range: { ...integer(1), is: 'a number of bytes, 1 or more' },
    default: 5e9, // transformers' own
    value: 'BYTES',
    help: 'Of a directory, the most bytes of one file.',
  },
  ...REWRITE,
};

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
  const { type, shardSize, ...rewriting } = checkOptions(options, CONVERT);
  const isUseless = isGgufPath(output) && options.shardSize !== undefined;
  check(
    !isUseless,
    'BAD_OPTION',
    () => 'shardSize has no effect with a GGUF file, which is one; it is for directories',
  );
  const dtype = type && DTYPES[type];
  return rewrite(source, output, rewriting, (opened, recoder) =>
    isGgufPath(output)
      ? ggufPlan(opened, dtype, recoder)
      : directoryPlan(opened, dtype, shardSize!, recoder),
  );
}
