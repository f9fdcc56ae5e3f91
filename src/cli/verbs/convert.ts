/** `llama-32k convert`: a model in another form. */
import {
  CONVERT_TYPES,
  type ConvertType,
  convertModel,
  DEFAULT_SHARD_SIZE,
} from '../../convert/convert.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { REWRITE_OPTIONS, rewriteOptions, runRewrite, WRITTEN_JSON } from '../arguments/rewrite.js';
import type { Io } from '../terminal/io.js';

const AS_IT_IS = 'source';

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
      'said in a note.',
    'What else a GGUF file says, of its licence or how to chat, goes into another GGUF file, ' +
      'not into a directory.',
    'Until all is written there is no model at the output. ' +
      'The next run removes what a killed one left.',
  ],
  options: [
    ...MODEL,
    ...REWRITE_OPTIONS,
    {
      name: 'type',
      value: 'T',
      choices: [AS_IT_IS, ...CONVERT_TYPES],
      help: `Number format of the tensors: ${AS_IT_IS} (default; as they are), f32, f16 or bf16.`,
    },
    {
      name: 'shard-size',
      value: 'BYTES',
      help: `Of a directory, the most bytes of one file. Default ${DEFAULT_SHARD_SIZE}.`,
    },
  ],
  json: WRITTEN_JSON,
  run,
};

function run(options: Options, io: Io): Promise<void> {
  const type = options.choice('type');
  const own = {
    type: type === AS_IT_IS ? undefined : (type as ConvertType),
    shardSize: options.integer('shard-size'),
    ...rewriteOptions(options),
  };
  return runRewrite(options, io, (model, output, hooks) =>
    convertModel(model, output, { ...own, ...hooks }),
  );
}
