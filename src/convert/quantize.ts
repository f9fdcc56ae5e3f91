import { check } from '../base/errors.js';
import { checkOption } from '../base/options.js';
import { isBlockDType } from '../model/dtypes.js';
import { isGgufPath } from './destination.js';
import { ggufPlan } from './gguf/gguf-plan.js';
import { dtypesInFile } from './gguf/write-model.js';
import { checkRewriteOptions, type RewriteOptions, rewrite, type Written } from './rewrite.js';
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
  checkRewriteOptions(options, ['type', 'allowRequantize']);
  const { type, allowRequantize = false, ...others } = options;
  checkOption('type', type, QUANTIZE_TYPES.includes(type), `one of ${QUANTIZE_TYPES.join(', ')}`);
  checkOption(
    'allowRequantize',
    allowRequantize,
    typeof allowRequantize === 'boolean',
    'true or false',
  );
  checkOption('output', output, isGgufPath(output), 'the name of a file that ends in .gguf');
  const fileType = FILE_TYPES[type];
  return rewrite(source, output, others, (opened, recoder) => {
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
