/** `llama-32k perplexity`: how well a model foretells a text. */
import { check } from '../../base/errors.js';
import { groupDigits } from '../../base/table.js';
import { loadLlama } from '../../load/model.js';
import {
  checkPerplexityOptions,
  PERPLEXITY,
  type ScoredChunk,
  type Settings,
} from '../../text/perplexity/options.js';
import { type Perplexity, perplexity } from '../../text/perplexity/perplexity.js';
import { windowLength } from '../../text/perplexity/windows.js';
import { flagsOf, readFlags } from '../arguments/flags.js';
import { readInputFile, TOKENS_FILE } from '../arguments/input-file.js';
import { contextFor, ENGINE, engineOptions, modelPath, withLoaded } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { parseIntegers } from '../arguments/token-list.js';
import { tellLeftOut, tokenizerForText } from '../arguments/tokenizer.js';
import { abortOnInterrupt, type Io, showNotes, write, writeJson } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';

export const perplexityVerb: Verb = {
  name: 'perplexity',
  usage: '(--file F | --tokens-file F) [options]',
  summary: 'How well a model foretells a text.',
  details: [
    'e to the mean of −log p of its tokens, with one standard error, as llama-perplexity has ' +
      'them: the text is cut into chunks side by side, each is read by itself, with BOS in the ' +
      'place of its first token if the text begins with BOS, and what comes after its first half ' +
      'is scored. Meanwhile stderr has the value up to each chunk.',
    'Values compare only for the same text, tokenizer and chunks: longer chunks give lower ones. ' +
      '--stride and --ppl-stride cut the text in other ways, without BOS but for the text’s own.',
  ],
  options: [
    ...MODEL,
    {
      name: 'file',
      short: 'f',
      value: 'F',
      help:
        'The text, in UTF-8, without the newline at its end, as llama.cpp reads it; - reads ' +
        'stdin. Special tokens that it spells out, such as </s>, stay text.',
    },
    TOKENS_FILE,
    ...flagsOf(PERPLEXITY),
    { name: 'no-bos', help: 'Put BOS neither before the text nor at the head of chunks.' },
    ...ENGINE,
  ],
  json:
    'Print {model, kernels, perplexity, standard_error, mean_nll, tokens, tokens_scored, ' +
    'ctx_size, stride, ppl_stride, bos, chunks}: mean_nll in nats a token; chunks a list of ' +
    '{start, end, tokens_scored, mean_nll, perplexity}, perplexity that up to its end; null for ' +
    'what there is not.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const cut = checkPerplexityOptions(readFlags(options, PERPLEXITY));
  const json = options.flag('json');
  const given = await readGiven(options, io);
  const path = await modelPath(options, io);
  const text = await tokensOf(given, path, options, io);

  const progress = new Progress(io, json);
  const signal = abortOnInterrupt(io);
  const room = contextFor(windowLength(cut));
  const engine = engineOptions(options, { signal, progress }, room);
  await withLoaded({ io, json, progress }, loadLlama(path, engine), async ({ model }) => {
    const values = new RunningValues(io, !json);
    const settings: Settings = {
      ...cut,
      bos: headOfChunks(text, model.config.bosTokenId, options),
      onChunk: chunk => values.tell(chunk),
      signal,
    };
    const result = await perplexity(model, text.ids, settings).finally(() => values.end());
    if (!json) return write(io.stdout, readable(result));
    const about = { model: path, kernels: model.engine.name };
    await writeJson(io, { ...about, ...figures(result, text.ids, settings) });
  });
}

/** A text, or ids; one of them is there. */
interface Given {
  readonly text?: string;
  readonly ids?: readonly number[];
}

async function readGiven(options: Options, io: Io): Promise<Given> {
  const given = ['file', 'tokens-file'].filter(name => options.text(name) !== undefined);
  check(given.length === 1, 'BAD_OPTION', () => {
    const found = given.length === 0 ? 'there is no text' : '--file and --tokens-file';
    return `${found}; give one of --file, --tokens-file`;
  });
  const content = await readInputFile(options, given[0], io);
  if (given[0] === 'file') return { text: content.replace(/\n$/, '') };
  return { ids: parseIntegers(content, '--tokens-file') };
}

interface Text {
  readonly ids: readonly number[];
  /** As its tokenizer has it, if that was needed. */
  readonly bosId?: number | undefined;
}

/** Ids need no tokenizer, and not every model has one. */
async function tokensOf(
  { ids, text }: Given,
  path: string,
  options: Options,
  io: Io,
): Promise<Text> {
  if (ids !== undefined) return { ids };
  const tokenizer = await tokenizerForText(path, 'give token ids with --tokens-file');
  showNotes(io, options.flag('json'), tokenizer.notes);
  tellLeftOut(tokenizer.leftOut(text!), options, io);
  const { addsBos, bosId } = tokenizer;
  const bos = addsBos && bosId !== undefined && !options.flag('no-bos');
  return { ids: tokenizer.encode(text!, { bos }), bosId };
}

/** BOS for all chunks, if the text begins with it and they are side by side. */
function headOfChunks(
  { ids, bosId }: Text,
  configured: number | undefined,
  options: Options,
): number | undefined {
  const hasStride = ['stride', 'ppl-stride'].some(name => options.text(name) !== undefined);
  const bos = bosId ?? configured;
  return hasStride || options.flag('no-bos') || ids[0] !== bos ? undefined : bos;
}

/** `[1]5.4321,[2]5.5432,` on stderr, as llama-perplexity shows it. */
class RunningValues {
  readonly #io: Io;
  readonly #shown: boolean;
  #count = 0;

  constructor(io: Io, shown: boolean) {
    this.#io = io;
    this.#shown = shown;
  }

  tell(chunk: ScoredChunk): void {
    this.#count += 1;
    if (this.#shown) this.#io.stderr.write(`[${this.#count}]${chunk.perplexity.toFixed(4)},`);
  }

  /** Whatever comes next begins a line. */
  end(): void {
    if (this.#shown && this.#count > 0) this.#io.stderr.write('\n');
  }
}

function readable({ perplexity, standardError, meanNll, tokens, chunks }: Perplexity): string {
  const error = standardError === undefined ? '' : ` ± ${standardError.toFixed(4)}`;
  const count = chunks.length === 1 ? '1 chunk' : `${groupDigits(chunks.length)} chunks`;
  const scored = `${groupDigits(tokens)} tokens scored in ${count}`;
  return (
    `perplexity ${perplexity.toFixed(4)}${error}\n` +
    `mean −log p ${meanNll.toFixed(5)} nats, ${scored}\n`
  );
}

function figures(
  { perplexity, standardError, meanNll, tokens, chunks }: Perplexity,
  ids: readonly number[],
  { ctxSize, stride, pplStride, bos }: Settings,
) {
  return {
    perplexity,
    standard_error: standardError ?? null,
    mean_nll: meanNll,
    tokens: ids.length,
    tokens_scored: tokens,
    ctx_size: ctxSize,
    stride: stride ?? null,
    ppl_stride: pplStride ?? null,
    bos: bos ?? null,
    chunks: chunks.map(({ start, end, nlls, perplexity }) => ({
      start,
      end,
      tokens_scored: nlls.length,
      mean_nll: nlls.reduce((sum, nll) => sum + nll, 0) / nlls.length,
      perplexity,
    })),
  };
}
