/**
 * `llama-32k logits`: what the model says about every token, for other implementations to be
 * compared with.
 */

import { check, LlamaError } from '../../base/errors.js';
import { escapeFor } from '../../base/escape.js';
import type { Floats } from '../../base/tensor.js';
import { CHUNK_SIZE, type Reading, readTokens } from '../../model/chunks.js';
import type { LlamaConfig } from '../../model/config.js';
import { describeLimit } from '../../model/context.js';
import type { ForwardOptions } from '../../model/engine.js';
import type { Llama } from '../../model/llama.js';
import { logprobsOf } from '../../text/sampling/logprobs.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import { count, flagsOf, readOwnFlags } from '../arguments/flags.js';
import { contextFor, ENGINE, engineOptions, modelPath, withLoaded } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import {
  encodeGiven,
  loadGiven,
  NO_TOKENIZER,
  PROMPT_OPTIONS,
  readPrompt,
  writtenText,
} from '../arguments/prompt.js';
import { refuseTooLong } from '../arguments/prompt-length.js';
import { parseIntegers } from '../arguments/token-list.js';
import { TraceFile } from '../arguments/trace-file.js';
import { abortOnInterrupt, type Io, toJson, write } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';

/** So many tokens are listed for a person. */
const LISTED = 5;

const OWN = {
  chunk: {
    range: count,
    default: CHUNK_SIZE,
    value: 'N',
    help: 'Tokens per forward pass; the result is the same bits.',
  },
};

export const logitsVerb: Verb = {
  name: 'logits',
  usage: '(--tokens IDS | --tokens-file F | --prompt TEXT [--raw]) [options]',
  summary: 'The logits of every token of the vocabulary, after each token of a text.',
  details: [
    'Row p scores what comes after tokens 0 to p. With --json all of them, in full precision: ' +
      `the shortest decimals that give the same float64. Without it the ${LISTED} best, with ` +
      'their log-probabilities.',
    NO_TOKENIZER,
  ],
  options: [
    ...MODEL,
    ...PROMPT_OPTIONS,
    {
      name: 'positions',
      value: 'PS',
      help:
        'Which rows, such as 0,7,-1, in this order; -1 is that of the last token. ' +
        'Default: all.',
    },
    ...flagsOf(OWN),
    {
      name: 'trace',
      value: 'FILE.safetensors',
      help:
        'Write every intermediate tensor besides, as computed (F32 or F64), by the names of ' +
        'Hugging Face’s modules; the header has tokens and positions.',
    },
    {
      name: 'names',
      value: 'NAMES',
      help:
        'Which tensors --trace writes, such as lm_head,model.layers.*.self_attn.probabilities; ' +
        '* stands for any text. Default: all, which takes much memory for a long text.',
    },
    ...ENGINE,
  ],
  json:
    'Print {model, kernels, tokens, positions, logits}: positions counted from 0, and logits a ' +
    'row for each of them.',
  run,
};

interface Printer {
  begin(): string;
  row(logits: Floats, index: number): string;
  end(): string;
}

async function run(options: Options, io: Io): Promise<void> {
  const { chunk } = readOwnFlags(options, OWN);
  const json = options.flag('json');
  const traceFile = await TraceFile.of(options);
  const prompt = await readPrompt(options, io);
  const path = await modelPath(options, io);
  await refuseTooLong(writtenText(prompt), path);
  const given = await encodeGiven(prompt, path, options, io);
  const tokens = given.ids;

  const progress = new Progress(io, json);
  const signal = abortOnInterrupt(io);
  const engine = engineOptions(options, { signal, progress }, contextFor(tokens.length));
  const loading = loadGiven(given, path, engine);
  await withLoaded({ io, json, progress }, loading, async ({ model, tokenizer }) => {
    checkTokens(tokens, model.config);
    traceFile?.checkNames(model.config);
    const positions = parsePositions(options.text('positions'), tokens.length);
    const text = { kernels: model.engine.name, tokens, positions };
    const printer = json
      ? jsonPrinter({ model: path, ...text })
      : listPrinter(io, tokenizer, tokens, positions);
    const pass = { chunk, progress, signal, ...traceFile?.options };
    const print = () => {
      const rows = inOrder(positions, logitsOf(model, tokens, positions, pass));
      return printRows(io, printer, rows, progress);
    };
    await (traceFile ? traceFile.during(io, text, print) : print());
  });
}

async function printRows(
  io: Io,
  printer: Printer,
  rows: AsyncIterable<Floats>,
  progress: Progress,
): Promise<void> {
  await write(io.stdout, printer.begin());
  let index = 0;
  for await (const logits of rows) {
    if (io.stdout.isTTY) progress.clear();
    await write(io.stdout, printer.row(logits, index++));
  }
  await write(io.stdout, printer.end());
}

/** Before the first of perhaps many hours. */
function checkTokens(tokens: readonly number[], config: LlamaConfig): void {
  const { vocabSize, maxPositionEmbeddings } = config;
  const bad = tokens.find(token => token < 0 || token >= vocabSize);
  check(
    bad === undefined,
    'BAD_INPUT',
    () => `token ${bad} is not in the vocabulary; ids are 0 to ${vocabSize - 1}`,
  );
  check(
    tokens.length <= maxPositionEmbeddings,
    'CONTEXT_OVERFLOW',
    () => `there are ${tokens.length} tokens, and ${describeLimit(config)}`,
  );
}

/** Counted from 0, in the order given. */
function parsePositions(text: string | undefined, count: number): number[] {
  if (text === undefined) return Array.from({ length: count }, (_, position) => position);
  return parseIntegers(text, '--positions').map(given => {
    const position = given < 0 ? count + given : given;
    check(position >= 0 && position < count, 'BAD_INPUT', () => {
      return (
        `--positions: ${given} is not there; with ${count} tokens they are 0 to ${count - 1}, ` +
        `or -1 to -${count} from the end`
      );
    });
    return position;
  });
}

interface Pass extends Pick<ForwardOptions, 'trace' | 'traceNames'> {
  readonly chunk: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The rows of `positions`, each once, as they are computed: in ascending order. */
function logitsOf(
  model: Llama,
  tokens: readonly number[],
  positions: readonly number[],
  { chunk, progress, signal, trace, traceNames }: Pass,
): AsyncIterable<Reading> {
  const wanted = new Set(positions);
  const last = positions.reduce((most, position) => Math.max(most, position));
  const needed = tokens.slice(0, last + 1); // nothing after it has an effect
  return readTokens(model, needed, {
    chunkSize: chunk,
    wants: index => wanted.has(index),
    signal,
    trace,
    traceNames,
    onProgress: (done, total) => progress.prefill(done, total),
  });
}

/**
 * The rows as `positions` has them; one that comes before its turn, or is needed again, is kept
 * until then.
 */
async function* inOrder(
  positions: readonly number[],
  rows: AsyncIterable<Reading>,
): AsyncGenerator<Floats> {
  const lastUse = new Map(positions.map((position, index) => [position, index]));
  const kept = new Map<number, Floats>();
  let next = 0;
  for await (const { index, logits } of rows) {
    kept.set(index, logits);
    for (let row = kept.get(positions[next]); row !== undefined; row = kept.get(positions[next])) {
      if (lastUse.get(positions[next]) === next) kept.delete(positions[next]);
      next += 1;
      yield row;
    }
  }
}

/** Row by row: a long text has more logits than a string has room for. */
function jsonPrinter(head: object): Printer {
  return {
    begin: () => `${toJson(head).slice(0, -1)},"logits":[`,
    row: (logits, index) => `${index === 0 ? '' : ','}\n${JSON.stringify(Array.from(logits))}`,
    end: () => '\n]}\n',
  };
}

function listPrinter(
  io: Io,
  tokenizer: Tokenizer | LlamaError,
  tokens: readonly number[],
  positions: readonly number[],
): Printer {
  const name = (id: number) => escapeFor(io.stdout, pieceOf(tokenizer, id));
  return {
    begin: () => '',
    row: (logits, index) => {
      const position = positions[index];
      const { topLogprobs } = logprobsOf(logits, 0, LISTED);
      const lines = topLogprobs.map(({ token, logprob }) => {
        const logit = logits[token].toFixed(6).padStart(14);
        const numbers = `${logit} ${logprob.toFixed(4).padStart(10)}`;
        return `${String(token).padStart(8)}${numbers}  ${name(token)}`.trimEnd();
      });
      const token = tokens[position];
      const title = `after position ${position}, token ${token} ${name(token)}`.trimEnd();
      return `${title}\n      id         logit    logprob  piece\n${lines.join('\n')}\n`;
    },
    end: () => '',
  };
}

/** Nothing where there is no tokenizer. */
function pieceOf(tokenizer: Tokenizer | LlamaError, id: number): string {
  if (tokenizer instanceof LlamaError) return '';
  return id < tokenizer.vocabSize ? tokenizer.pieces([id])[0] : '(padding)';
}
