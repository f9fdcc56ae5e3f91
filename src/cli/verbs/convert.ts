/** `llama-32k convert`: a model in another form. */
import { oneOf } from '../../base/options.js';
import { CONVERT, convertModel } from '../../convert/convert.js';
import { flagsOf, readFlags } from '../arguments/flags.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { rewriteOptions, runRewrite, WRITTEN_JSON } from '../arguments/rewrite.js';
import type { Io } from '../terminal/io.js';

/** Said on a command line for what is unsaid in a program. */
const AS_IT_IS = 'source';
const { type, shardSize } = CONVERT;
const OWN = {
  type: {
    ...type,
    range: oneOf([AS_IT_IS, ...type.range.choices!]),
    otherwise: `${AS_IT_IS}, as they are`,
  },
  shardSize,
};

export const convertVerb: Verb = {
  name: 'convert',
  usage: '--output PATH [options]',
  summary: 'Write a model in another form: a GGUF file, or a Hugging Face directory.',
  details: [
    'An output that ends in .gguf is a GGUF file. Any other is a directory: config.json, the ' +
      'tokenizer, and safetensors, in several files and an index if they are large.',
    'Numbers do not change, unless --type says so: quantized ones go into another GGUF file as ' +
      'they are, and into a directory only with --type, f32 being exact. Vectors are float32 in ' +
      'GGUF files.',
    'Added tokens go along. What a GGUF file cannot hold of them, and of the rule of spaces, is ' +
      'said in a note. A tokenizer that is not known is copied from directory to directory and ' +
      'from GGUF file to GGUF file, and otherwise left out, with a note.',
    'What else a GGUF file says, of its licence or how to chat, goes into another GGUF file, ' +
      'not into a directory.',
    'Until all is written there is no model at the output. ' +
      'The next run removes what a killed one left.',
  ],
  options: [
    ...MODEL,
    ...rewriteOptions('PATH', 'A directory must not be there, or be empty.'),
    ...flagsOf(OWN),
  ],
  json: WRITTEN_JSON,
  run,
};

function run(options: Options, io: Io): Promise<void> {
  const given = readFlags(options, CONVERT);
  const isAsItIs = options.text('type') === AS_IT_IS;
  const own = { ...given, ...(isAsItIs && { type: undefined }) };
  return runRewrite(options, io, (model, output, hooks) =>
    convertModel(model, output, { ...own, ...hooks }),
  );
}
