/** What is compared with a model: a file of numbers, or an engine that is asked. */
import { check, LlamaError } from '../../base/errors.js';
import { findTokenizer } from '../../load/find-tokenizer.js';
import type { LlamaConfig } from '../../model/config.js';
import { observedLogits, observedScores, observedTensors } from '../../oracle/compare/cases.js';
import type { Theirs } from '../../oracle/compare/compare-with-model.js';
import { DEFAULT_TEXT, drawTokens } from '../../oracle/compare/default-text.js';
import { readNames } from '../../oracle/dump/names-file.js';
import { readDump } from '../../oracle/dump/read-dump.js';
import { askEndpoint } from '../../oracle/endpoint/ask.js';
import type { Asked, AskedLogits } from '../../oracle/endpoint/asked.js';
import { askProcess } from '../../oracle/endpoint/process.js';
import { tokenNames } from '../../oracle/endpoint/token-names.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import type { Io } from '../terminal/io.js';
import type { Progress } from '../terminal/progress.js';
import { readInputFile, TOKENS_FILE } from './input-file.js';
import type { Option, Options } from './options.js';
import { parseIntegers } from './token-list.js';

/** A text, as ids only. */
export const TEXT_AS_TOKENS: readonly Option[] = [
  { name: 'tokens', value: 'IDS', help: 'The text as token ids, such as 1,2,3, as they are.' },
  TOKENS_FILE,
];

export const THEIRS: readonly Option[] = [
  ...TEXT_AS_TOKENS,
  {
    name: 'names',
    value: 'FILE',
    help:
      'JSON with {"their name": "name here"}, for tensors that they call otherwise; * on both ' +
      'sides stands for the number of a layer.',
  },
  {
    name: 'endpoint',
    value: 'URL',
    help:
      'Ask a server: OpenAI-compatible, vLLM, or llama.cpp’s. Ids are sent as they are, without ' +
      'BOS. Default text: a paragraph, with BOS if texts of this model begin with it.',
  },
  { name: 'api-key', value: 'K', help: 'What the server wants. Default: LLAMA_32K_API_KEY.' },
  {
    name: 'model-name',
    value: 'NAME',
    help: 'The server’s name for the model. Default: its first.',
  },
  {
    name: 'process',
    value: 'COMMAND',
    help:
      'Ask a program, started without a shell, that reads {"tokens", "positions"} as a line of ' +
      'JSON and writes {"logits": [[…]]}: see docs/oracle.md.',
  },
];

/** The model that they should have computed. */
interface Model {
  readonly path: string;
  readonly config: LlamaConfig;
}

interface Waiting {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly io: Io;
}

/** Throws BAD_OPTION unless exactly one of THEIRS, --endpoint and --process is given. */
export async function readTheirs(
  options: Options,
  model: Model,
  waiting: Waiting,
): Promise<Theirs> {
  const asked = ['endpoint', 'process'].filter(name => options.text(name) !== undefined);
  const given = asked.length + options.arguments.length;
  check(given === 1, 'BAD_OPTION', () => {
    const what = given === 0 ? 'nothing to compare with is given' : 'there are several to compare';
    return `${what}; give one of THEIRS, --endpoint URL, --process COMMAND`;
  });
  const tokens = await givenTokens(options, waiting.io);
  return options.argument === undefined
    ? askTheirs(options, model, tokens, waiting)
    : readFile(options.argument, options, model.config, tokens);
}

/** Undefined if neither --tokens nor --tokens-file is given. */
export async function givenTokens(
  options: Options,
  io: Io,
): Promise<readonly number[] | undefined> {
  const text = options.text('tokens');
  const hasFile = options.text('tokens-file') !== undefined;
  check(text === undefined || !hasFile, 'BAD_OPTION', () => {
    return '--tokens and --tokens-file both give a text; which one holds?';
  });
  if (text !== undefined) return parseIntegers(text, '--tokens');
  if (!hasFile) return undefined;
  return parseIntegers(await readInputFile(options, 'tokens-file', io), '--tokens-file');
}

async function readFile(
  path: string,
  options: Options,
  config: LlamaConfig,
  tokens: readonly number[] | undefined,
): Promise<Theirs> {
  const namesFile = options.text('names');
  const names = namesFile === undefined ? undefined : await readNames(namesFile);
  const dump = await readDump(path, config, { tokens, names });
  const dtypes = [...dump.tensors.values()].map(({ dtype }) => dtype);
  return { ...dump, observed: observedTensors(dump, config), dtypes };
}

async function askTheirs(
  options: Options,
  { path, config }: Model,
  given: readonly number[] | undefined,
  { signal, progress, io }: Waiting,
): Promise<Theirs> {
  const tokenizer = await findTokenizer(path);
  const tokens = given ?? defaultTokens(tokenizer, config);
  const onProgress = (done: number, total: number) => progress.runs('asked', done, total);
  const url = options.text('endpoint');
  const command = options.text('process')?.trim().split(/\s+/) ?? [];
  const asked: Asked | AskedLogits =
    url === undefined
      ? await askProcess(command, tokens, { signal, onProgress })
      : await askEndpoint(url, tokens, {
          apiKey: options.text('api-key') ?? io.env.LLAMA_32K_API_KEY,
          modelName: options.text('model-name'),
          signal,
          onProgress,
          ...(tokenizer instanceof LlamaError ? NO_WORDS : tokenNames(tokenizer)),
        });
  const notes = [`asked: ${asked.engine}`, ...asked.notes];
  const observed = 'logits' in asked ? observedLogits(asked) : observedScores(asked);
  return { tokens, observed, notes };
}

/** Without a tokenizer only servers that speak of ids are understood. */
const NO_WORDS = { tokenOf: () => undefined, textOf: () => undefined };

function defaultTokens(tokenizer: Tokenizer | LlamaError, config: LlamaConfig): readonly number[] {
  if (tokenizer instanceof LlamaError) return drawTokens(config);
  return tokenizer.encode(DEFAULT_TEXT, { bos: tokenizer.addsBos });
}
