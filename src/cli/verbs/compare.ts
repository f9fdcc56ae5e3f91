/** `llama-32k compare`: is what another implementation computes this model, and if not, why. */
import { writeFile } from 'node:fs/promises';
import { check } from '../../base/errors.js';
import { type ModelFiles, openModelFiles } from '../../load/model-files.js';
import type { FloatDType } from '../../model/dtypes.js';
import { observedScores, observedTensors } from '../../oracle/compare/cases.js';
import { compare } from '../../oracle/compare/compare.js';
import type { Observed } from '../../oracle/observed/observed.js';
import { readNames } from '../../oracle/dump/names-file.js';
import { readDump } from '../../oracle/dump/read-dump.js';
import { GROSS_BUG, MUTANTS } from '../../oracle/mutants/mutants.js';
import { assumedType } from '../../oracle/noise/assumed-type.js';
import { DECLARED_TYPES, declaredType, type Precision } from '../../oracle/noise/types.js';
import { writeHtml } from '../../oracle/report/html/html.js';
import { toReportJson } from '../../oracle/report/json.js';
import { writeJunit } from '../../oracle/report/junit.js';
import { writeReport } from '../../oracle/report/terminal.js';
import { type Comparison, conforms } from '../../oracle/result.js';
import { askForScores, ENDPOINT } from '../arguments/endpoint.js';
import { count, flagsOf, readOwnFlags } from '../arguments/flags.js';
import { readInputFile, TOKENS_FILE } from '../arguments/input-file.js';
import { modelPath } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { parseIntegers } from '../arguments/token-list.js';
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
    range: { ...count, is: '4 or more' },
    default: 12,
    value: 'N',
    help: 'Arithmetics that are drawn at random to find out what honest ones differ by.',
  },
  seed: { range: count, default: 1, value: 'N', help: 'Which ones are drawn.' },
};

/** Where lines are broken on a terminal that does not say how wide it is. */
const WIDTH = 100;

export const compareVerb: Verb = {
  name: 'compare',
  usage: '(THEIRS | --endpoint URL | --process COMMAND) [options]',
  summary: 'Whether another implementation computes this model, and if not, where and why.',
  argument: 'THEIRS',
  details: [
    'THEIRS is a .safetensors or .npz file, or a directory of .npy files, with tokens [T], logits ' +
      '[P, V], perhaps positions [P], and any of the tensors of a trace (logits --trace), by ' +
      'their names here, in Hugging Face’s modules, or in llama.cpp. A server is asked for the ' +
      'log-probabilities that it tells.',
    'Their numbers are compared with the model in float64, and what they may differ by is what ' +
      'honest arithmetic in their type differs by, on this model and this text. What differs by ' +
      'more is looked for among the bugs that people had (llama-32k mutants).',
    'Exit code 0 if they conform, 5 if they differ.',
  ],
  options: [
    ...MODEL,
    {
      name: 'tokens',
      value: 'IDS',
      help: 'The text as token ids, such as 1,2,3, where THEIRS has none, or to ask a server.',
    },
    TOKENS_FILE,
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
      help: 'The type in which they keep keys and values. Default: what goes with their type.',
    },
    {
      name: 'names',
      value: 'FILE',
      help: 'JSON with {"their name": "name here"}, for tensors that they call otherwise.',
    },
    ...ENDPOINT,
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
  const { samples, seed } = readOwnFlags(options, OWN);
  const json = options.flag('json');
  const asked = await givenTokens(options, io);
  const path = await modelPath(options, io);
  const files = await openModelFiles(path);
  const progress = new Progress(io, json);
  const signal = abortOnInterrupt(io);
  try {
    showNotes(io, json, files.notes);
    const theirs = await readTheirs(options, files, asked, { signal, progress, io });
    const type = declaredType(
      options.text('their-type') ?? assumedType(files.checkpoint, theirs.dtypes),
      options.text('their-cache') === undefined
        ? undefined
        : (options.choice('their-cache') as Precision),
    );
    const { config, checkpoint } = files;
    const comparison = await compare(
      { model: path, config, checkpoint, type, ...theirs },
      {
        mutants: MUTANTS,
        grossBug: GROSS_BUG,
        samples,
        seed,
        signal,
        onProgress: (what, done, total) => progress.runs(what, done, total),
      },
    );
    progress.clear();
    await tell(comparison, options, io);
  } finally {
    progress.clear();
    await files.checkpoint.close();
  }
}

async function givenTokens(options: Options, io: Io): Promise<readonly number[] | undefined> {
  const text = options.text('tokens');
  const hasFile = options.text('tokens-file') !== undefined;
  check(text === undefined || !hasFile, 'BAD_OPTION', () => {
    return '--tokens and --tokens-file both give a text; which one holds?';
  });
  if (text !== undefined) return parseIntegers(text, '--tokens');
  if (!hasFile) return undefined;
  return parseIntegers(await readInputFile(options, 'tokens-file', io), '--tokens-file');
}

interface Theirs {
  readonly tokens: readonly number[];
  readonly observed: readonly Observed[];
  readonly dtypes: readonly FloatDType[];
  readonly notes: readonly string[];
}

interface Waiting {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly io: Io;
}

async function readTheirs(
  options: Options,
  { config, path }: ModelFiles,
  tokens: readonly number[] | undefined,
  { signal, progress, io }: Waiting,
): Promise<Theirs> {
  const sources = ['endpoint', 'process'].filter(name => options.text(name) !== undefined);
  const given = sources.length + options.arguments.length;
  check(given === 1, 'BAD_OPTION', () => {
    const what = given === 0 ? 'nothing to compare with is given' : 'there are several to compare';
    return `${what}; give one of THEIRS, --endpoint URL, --process COMMAND`;
  });
  if (options.argument === undefined) {
    const scores = await askForScores(options, { path, config, tokens }, { signal, progress, io });
    return { ...scores, observed: observedScores(scores), dtypes: [] };
  }
  const namesFile = options.text('names');
  const names = namesFile === undefined ? undefined : await readNames(namesFile);
  const dump = await readDump(options.argument, config, { tokens, names });
  const dtypes = [...dump.tensors.values()].map(({ dtype }) => dtype);
  return { ...dump, observed: observedTensors(dump, config), dtypes };
}

async function tell(comparison: Comparison, options: Options, io: Io): Promise<void> {
  const files = [
    [options.text('html'), writeHtml],
    [options.text('junit'), writeJunit],
  ] as const;
  for (const [file, draw] of files) {
    if (file === undefined) continue;
    await writeFile(file, draw(comparison));
    if (!options.flag('json')) note(io, `the report is in ${file}`);
  }
  const style = { width: io.stdout.columns ?? WIDTH, colour: inColour(io.stdout, io) };
  if (options.flag('json')) await writeJson(io, toReportJson(comparison));
  else await write(io.stdout, writeReport(comparison, style));
  if (!conforms(comparison.verdict)) throw new Differs(comparison.verdict);
}
