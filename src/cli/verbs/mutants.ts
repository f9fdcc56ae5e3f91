/** `llama-32k mutants`: which bugs a comparison finds in a model, and so what a pass means. */
import { openModelFiles } from '../../load/model-files.js';
import { drawTokens } from '../../oracle/compare/default-text.js';
import { killMatrix } from '../../oracle/matrix/kill-matrix.js';
import { EQUIVALENTS } from '../../oracle/mutants/equivalents.js';
import { MUTANTS } from '../../oracle/mutants/mutants.js';
import { declaredType } from '../../oracle/noise/types.js';
import { packModel, packTokens } from '../../oracle/pack/pack.js';
import { toMatrixJson, writeMatrix } from '../../oracle/report/matrix.js';
import { modelPath } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { givenTokens, TEXT_AS_TOKENS } from '../arguments/theirs.js';
import { abortOnInterrupt, type Io, write, writeJson } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';

/** Enough for a good look at each. */
const SAMPLES = 12;

export const mutantsVerb: Verb = {
  name: 'mutants',
  usage: '[options]',
  summary: 'Which bugs a comparison tells apart, and so what a pass means.',
  details: [
    'Every bug that compare knows is put into the model. The table has how far beyond the budget ' +
      'its logits are then, in which arithmetic, and whether it is named from them; or why it ' +
      'changes no number of this model.',
    'Without --model, that of the conformance pack, which is made so that all of them show, and ' +
      'its text of 640 tokens. Otherwise the text is drawn, 192 tokens, unless it is given.',
  ],
  options: [
    ...MODEL,
    ...TEXT_AS_TOKENS,
    {
      name: 'types',
      value: 'TYPES',
      help:
        'In whose arithmetics, such as f32,bf16; of the first one the likeliest 20 tokens are ' +
        'looked at, too. Default: f32,f16,bf16.',
    },
  ],
  json:
    'Print {summary, vectors, rows, invisible}: a row for each variant of a bug, a cell for each ' +
    'vector; invisible is what nobody can see from tokens and logits.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const json = options.flag('json');
  const types = (options.text('types') ?? 'f32,f16,bf16')
    .split(',')
    .map(name => declaredType(name));
  const isPack = options.text('model') === undefined;
  const path = isPack ? packModel('toy') : await modelPath(options, io);
  const { config, checkpoint } = await openModelFiles(path);
  const progress = new Progress(io, json);
  const signal = abortOnInterrupt(io);
  try {
    const own = await givenTokens(options, io);
    const tokens = own ?? (isPack ? await packTokens('toy') : drawTokens(config));
    const matrix = await killMatrix({
      config,
      checkpoint,
      tokens,
      mutants: MUTANTS,
      types,
      samples: SAMPLES,
      signal,
      onProgress: (what, done, total) => progress.runs(what, done, total),
    });
    progress.clear();
    if (json) await writeJson(io, { ...toMatrixJson(matrix), invisible: EQUIVALENTS });
    else await write(io.stdout, writeMatrix(matrix) + invisible());
  } finally {
    progress.clear();
    await checkpoint.close();
  }
}

const invisible = (): string =>
  [
    '',
    'Nobody can see from tokens and logits:',
    '',
    ...EQUIVALENTS.map(({ id, name, reason }) => `- ${id}: ${name}. ${reason}`),
    '',
  ].join('\n');
