/** `llama-32k compare`: is what another implementation computes this model, and if not, why. */
import { writeFile } from 'node:fs/promises';
import { integer } from '../../base/options.js';
import type { LlamaConfig } from '../../model/config.js';
import type { CompareOptions } from '../../oracle/case.js';
import { compareWithModel } from '../../oracle/compare/compare-with-model.js';
import { DECLARED_TYPES, type Precision } from '../../oracle/noise/types.js';
import { writeHtml } from '../../oracle/report/html.js';
import { toReportJson } from '../../oracle/report/json.js';
import { writeJunit } from '../../oracle/report/junit.js';
import { writeReport } from '../../oracle/report/terminal.js';
import { type Comparison, conforms } from '../../oracle/result.js';
import { flagsOf, readOwnFlags } from '../arguments/flags.js';
import { modelPath } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { readTheirs, THEIRS } from '../arguments/theirs.js';
import {
  abortOnInterrupt,
  Differs,
  type Io,
  inColour,
  note,
  showNotes,
  write,
  writeJson,
} from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';

const OWN = {
  samples: {
    range: integer(4),
    default: 12,
    value: 'N',
    help: 'Arithmetics that are drawn at random, to find out by how much honest ones differ.',
  },
  seed: { range: integer(0), default: 1, value: 'N', help: 'Which ones are drawn.' },
};

/** Where lines are broken if the terminal does not say how wide it is. */
const WIDTH = 100;

export const compareVerb: Verb = {
  name: 'compare',
  usage: '(THEIRS | --endpoint URL | --process COMMAND) [options]',
  summary: 'Whether another implementation computes this model, and if not, where and why.',
  argument: 'THEIRS',
  details: [
    'THEIRS is a .safetensors or .npz file, or a directory of .npy files, with tokens [T], ' +
      'logits [P, V], perhaps positions [P], and any of the tensors of a trace (logits --trace), ' +
      'by their names here, in Hugging Face’s modules, or in llama.cpp. An engine that is asked ' +
      'need not tell more than its likeliest tokens.',
    'Their numbers are compared with the model in float64. What they may differ by is what ' +
      'honest arithmetic in their type differs by, on this model and this text. What differs by ' +
      'more is looked for among the bugs that people had (llama-32k mutants).',
    'The exit code is 0 if they conform, and 5 if they differ.',
  ],
  options: [
    ...MODEL,
    ...THEIRS,
    {
      name: 'their-type',
      value: 'TYPE',
      help:
        `The type in which they compute: ${[...DECLARED_TYPES.keys()].join(', ')}. Default: that ` +
        'of the model’s blocks, or else that of their numbers.',
    },
    {
      name: 'their-cache',
      value: 'TYPE',
      choices: ['f32', 'f16', 'bf16'],
      help:
        'The type in which they keep keys and values: f32, f16 or bf16. Default: what goes with ' +
        'their type.',
    },
    {
      name: 'truth',
      value: 'TRUTH',
      choices: ['auto', 'exact', 'engine'],
      help:
        'What is right: exact is the model in float64, engine the WASM kernels, for what would ' +
        'take too long; auto finds that out.',
    },
    ...flagsOf(OWN),
    { name: 'html', value: 'FILE', help: 'Write the report as one page for a browser.' },
    { name: 'junit', value: 'FILE', help: 'Write it as JUnit XML, for a CI job.' },
  ],
  json:
    'Print {verdict, engine, type, model, tokens, firstDivergence, tensors, forced, diagnosis, ' +
    'flips, notes, falseAlarmRate, samples, seconds}: see docs/oracle.md.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const own = readOwnFlags(options, OWN);
  const json = options.flag('json');
  const path = await modelPath(options, io);
  const progress = new Progress(io, json);
  const signal = abortOnInterrupt(io);
  const read = (config: LlamaConfig) =>
    readTheirs(options, { path, config }, { signal, progress, io });
  try {
    const comparison = await compareWithModel(path, read, {
      ...own,
      type: options.text('their-type'),
      cache: cacheType(options),
      truth: options.choice('truth') as CompareOptions['truth'],
      signal,
      onNotes: notes => showNotes(io, json, notes),
      onProgress: (what, done, total) => progress.runs(what, done, total),
    });
    progress.clear();
    await tell(comparison, options, io);
  } finally {
    progress.clear();
  }
}

const cacheType = (options: Options): Precision | undefined =>
  options.text('their-cache') === undefined
    ? undefined
    : (options.choice('their-cache') as Precision);

async function tell(comparison: Comparison, options: Options, io: Io): Promise<void> {
  const json = options.flag('json');
  const files = [
    [options.text('html'), writeHtml],
    [options.text('junit'), writeJunit],
  ] as const;
  for (const [file, draw] of files) {
    if (file === undefined) continue;
    await writeFile(file, draw(comparison));
    if (!json) note(io, `the report is in ${file}`);
  }
  const style = { width: io.stdout.columns ?? WIDTH, colour: inColour(io.stdout, io) };
  if (json) await writeJson(io, toReportJson(comparison));
  else await write(io.stdout, writeReport(comparison, style));
  if (!conforms(comparison.verdict)) throw new Differs(comparison.verdict);
}
