import { check } from '../base/errors.js';
import { boolean, checkOption, checkOptions, type OptionTable, oneOf } from '../base/options.js';
import { isBlockDType } from '../model/dtypes.js';
import { isGgufPath } from './destination.js';
import { ggufPlan } from './gguf/gguf-plan.js';
import { dtypesInFile } from './gguf/write-model.js';
import { REWRITE, type RewriteOptions, rewrite, type Written } from './rewrite.js';
import type { Source } from './source.js';

const FILE_TYPES = {
  q8_0: 'Q8_0',
  q6_k: 'Q6_K',
  q5_1: 'Q5_1',
  q5_0: 'Q5_0',
  q4_k_m: 'Q4_K_M',
  q4_k: 'Q4_K',
  q4_1: 'Q4_1',
  q4_0: 'Q4_0',
} as const;

export type QuantizeType = keyof typeof FILE_TYPES;
export const QUANTIZE_TYPES = Object.keys(FILE_TYPES) as QuantizeType[];

/** How `quantizeModel` writes a model. */
export interface QuantizeOptions extends RewriteOptions {
  /** Which tensor gets which format then: `src/convert/gguf/recipes.ts`. */
  readonly type: QuantizeType;
  /** Take a model that is quantized already, and round its numbers once more. Default false. */
  readonly allowRequantize?: boolean | undefined;
}

export const QUANTIZE: OptionTable<QuantizeOptions> = {
  type: {
    range: oneOf(QUANTIZE_TYPES),
    value: 'T',
    help: `One of ${QUANTIZE_TYPES.join(', ')}.`,
  },
  allowRequantize: {
    range: boolean,
    help:
      'Take a model that is quantized already, and round it once more: worse than from the ' +
      'original.',
  },
  ...REWRITE,
};

/**
 * Writes the model at `source`, a directory or a GGUF file, to the GGUF file `output`. Otherwise as
 * `convertModel`.
 * @throws {LlamaError} BAD_OPTION, also if a tensor is in another block format already; otherwise
 * as `convertModel`.
 */
export async function quantizeModel(
  source: string,
  output: string,
  options: QuantizeOptions,
): Promise<Written> {
  const { type, allowRequantize, ...rewriting } = checkOptions(options, QUANTIZE);
  checkOption('type', type, type !== undefined, QUANTIZE.type.range.is);
  checkOption('output', output, isGgufPath(output), 'the name of a file that ends in .gguf');
  const fileType = FILE_TYPES[type];
  return rewrite(source, output, rewriting, (opened, recoder) => {
    if (!allowRequantize) refuseRequantizing(opened, dtypesInFile(opened, fileType));
    return ggufPlan(opened, fileType, recoder);
  });
}

function refuseRequantizing({ checkpoint }: Source, dtypes: ReadonlyMap<string, string>): void {
  for (const [name, dtype] of dtypes) {
    const own = checkpoint.tensors.get(name)!.dtype;
    check(!isBlockDType(own) || own === dtype, 'BAD_OPTION', () => {
      return (
        `${name} is quantized to ${own} already, and would be rounded a second time, to ` +
        `${dtype}: worse than from the original; quantize that one, or allow it ` +
        '(--allow-requantize)'
      );
    });
  }
}
