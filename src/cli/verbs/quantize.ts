/** `llama-32k quantize`: a model with fewer bits for each number. */

import { check } from '../../base/errors.js';
import { QUANTIZE, type QuantizeOptions, quantizeModel } from '../../convert/quantize.js';
import { flagsOf, readFlags } from '../arguments/flags.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { rewriteOptions, runRewrite, WRITTEN_JSON } from '../arguments/rewrite.js';
import type { Io } from '../terminal/io.js';

const { type, allowRequantize } = QUANTIZE;

export const quantizeVerb: Verb = {
  name: 'quantize',
  usage: '--output FILE.gguf --type T [options]',
  summary: 'Write a model as a GGUF file with 4 to 8 bits a number.',
  details: [
    'The formats and mixtures are those of llama-quantize without an importance matrix: vectors ' +
      'stay float32, and the head has 6 bits or more. q4_k_m has 6 bits for half of the values ' +
      'and down projections, too. q4_k has 4 for all matrices, the head too, as llama-quantize ' +
      '--pure (to which q4_k alone means q4_k_m). Rows that are not a multiple of 256, or 32, ' +
      'get the next format that fits.',
    'q8_0, q5_1, q5_0, q4_1 and q4_0 are the same bytes as theirs; the K formats are as near to ' +
      'the original, but not the same.',
    'Until all is written there is no model at the output. ' +
      'The next run removes what a killed one left.',
  ],
  options: [
    ...MODEL,
    ...rewriteOptions('FILE.gguf', 'Its name ends in .gguf.'),
    ...flagsOf({ type, allowRequantize }),
  ],
  json: WRITTEN_JSON,
  run,
};

function run(options: Options, io: Io): Promise<void> {
  const given = readFlags(options, QUANTIZE);
  const choices = type.range.choices!.join(', ');
  check(given.type !== undefined, 'BAD_OPTION', () => `--type is missing; there is: ${choices}`);
  return runRewrite(options, io, (model, output, hooks) =>
    quantizeModel(model, output, { ...(given as QuantizeOptions), ...hooks }),
  );
}
