/** `llama-32k vectors`: numbers for other implementations to be tested with. */
import { mkdir } from 'node:fs/promises';
import { check, LlamaError } from '../../base/errors.js';
import { checkEmpty } from '../../convert/destination.js';
import { openModelFiles } from '../../load/model-files.js';
import { packageVersion } from '../../load/version.js';
import { drawTokens } from '../../oracle/compare/default-text.js';
import { copyPack, writeVectors } from '../../oracle/pack/write-vectors.js';
import { modelPath } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { givenTokens, TEXT_AS_TOKENS } from '../arguments/theirs.js';
import { abortOnInterrupt, type Io, note, writeJson } from '../terminal/io.js';

export const vectorsVerb: Verb = {
  name: 'vectors',
  usage: '--output DIR [options]',
  summary: 'The conformance pack, or vectors of a model, for tests of other implementations.',
  details: [
    'Without --model, the pack that comes with the package: small models in which every bug ' +
      'shows, texts of up to 32,768 tokens, logits and traces that transformers computed in ' +
      'float64, single operations, tokenizer and sampler vectors. Its README.md says how ' +
      'to read it.',
    'With --model, tokens, logits and a trace of that model, as the exact kernels compute them ' +
      'in float64. The text is drawn, 192 tokens, unless it is given.',
  ],
  options: [
    {
      name: 'output',
      short: 'o',
      value: 'DIR',
      help: 'Where to: a new directory, or an empty one.',
    },
    ...MODEL,
    ...TEXT_AS_TOKENS,
  ],
  json: 'Print {output, model}: model is null for the pack.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const output = options.text('output');
  check(output !== undefined, 'BAD_OPTION', () => 'nothing says where to; give --output DIR');
  const isPack = options.text('model') === undefined;
  const model = isPack ? null : await modelPath(options, io);
  if (model === null) await makeEmpty(output).then(() => copyPack(output));
  else await writeOwn(model, output, options, io);
  if (options.flag('json')) return writeJson(io, { output, model });
  note(io, `the vectors are in ${output}`);
}

async function writeOwn(model: string, output: string, options: Options, io: Io): Promise<void> {
  const { config, checkpoint } = await openModelFiles(model);
  try {
    const tokens = (await givenTokens(options, io)) ?? drawTokens(config);
    const version = await packageVersion();
    await makeEmpty(output);
    const signal = abortOnInterrupt(io);
    await writeVectors(output, { model, config, checkpoint, tokens, version, signal });
  } finally {
    await checkpoint.close();
  }
}

async function makeEmpty(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    const message = `${directory} cannot be made: ${(error as Error).message}; give another name`;
    throw new LlamaError('WRITE_FAILED', message, { cause: error });
  }
  await checkEmpty(directory);
}
