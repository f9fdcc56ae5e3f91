/** `llama-32k generate`: a prompt, continued. */

import { check, LlamaError } from '../../base/errors.js';
import { escapeFor } from '../../base/escape.js';
import type { LoadedForIds } from '../../load/model.js';
import type { LlamaConfig } from '../../model/config.js';
import { generate, positionsNeeded } from '../../text/generate.js';
import { idsOnly } from '../../text/ids-only.js';
import type { GenerateProgress } from '../../text/options.js';
import { CARD_STOP_STRINGS } from '../../text/prompt.js';
import type { GenerationResult, GenerationStep } from '../../text/result.js';
import {
  CARD_SETTINGS,
  GENERATION_OPTIONS,
  generationOptions,
  LOGPROBS,
  resultAsJson,
} from '../arguments/generation.js';
import { noteUnusedSettings } from '../arguments/generation-config.js';
import { constraintFor, JSON_OPTIONS, readAskedJson } from '../arguments/json.js';
import { ENGINE, engineOptions, modelPath, withLoaded } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import {
  type EncodedPrompt,
  encodeGiven,
  loadGiven,
  NO_TOKENIZER,
  PROMPT_OPTIONS,
  readPrompt,
  writtenText,
} from '../arguments/prompt.js';
import { refuseTooLong } from '../arguments/prompt-length.js';
import { ABOUT_EMBEDDED } from '../arguments/suggestions.js';
import { withoutText } from '../arguments/tokenizer.js';
import { abortOnInterrupt, type Io, note, write, writeJson } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';

export const generateVerb: Verb = {
  name: 'generate',
  usage: '(--prompt TEXT [--raw] | --tokens IDS | --tokens-file F) [options]',
  summary: 'Continue a prompt, and print the continuation only.',
  details: [
    `Without options it is greedy: the same prompt gives the same text. ${CARD_SETTINGS}`,
    'It ends at end of text, at a stop string, or at the limit. What ends a turn by the chat ' +
      `template ends it, too; by the model card's format, ${CARD_STOP_STRINGS.join()}.`,
    NO_TOKENIZER,
    ABOUT_EMBEDDED,
  ],
  options: [
    ...MODEL,
    ...PROMPT_OPTIONS,
    ...JSON_OPTIONS,
    ...GENERATION_OPTIONS,
    ...LOGPROBS,
    ...ENGINE,
  ],
  json:
    'Print {text, tokens, finish_reason: stop | length, prompt_tokens, completion_tokens, ' +
    'timings, lookup: {proposed, accepted}, seed, model, kernels} and, if asked for, logprobs ' +
    'and prompt_logprobs: [{token, logprob, top_logprobs}]; text is null without a tokenizer.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const json = options.flag('json');
  const logprobs = options.integer('logprobs');
  const promptLogprobs = options.integer('prompt-logprobs');
  check(
    json || (logprobs ?? promptLogprobs) === undefined,
    'BAD_OPTION',
    () =>
      `--${logprobs === undefined ? 'prompt-' : ''}logprobs needs --json: without it only text ` +
      'is printed',
  );
  const given = await readPrompt(options, io);
  const asked = await readAskedJson(options, io);
  const path = await modelPath(options, io);
  await refuseTooLong(writtenText(given), path, options.integer('context'));
  const encoded = await encodeGiven(given, path, options, io);
  refuseStop(encoded, options);
  const { ids: prompt, format } = encoded;
  const constraint = asked && constraintFor(asked, encoded.tokenizer);
  const generationFor = (config: LlamaConfig) => {
    const ends = format?.ends(config);
    // JSON ends by itself, and what ends a turn may stand in one of its strings.
    const own = constraint === undefined ? ends : ends && { ...ends, stop: [] };
    return { ...generationOptions(options, own), logprobs, promptLogprobs, constraint };
  };
  const progress = new Progress(io, json);
  const signal = abortOnInterrupt(io);
  // What cannot be generated to the end is refused now, before minutes of loading.
  const context = (config: LlamaConfig) => positionsNeeded(prompt, generationFor(config), config);
  const engine = engineOptions(options, { signal, progress }, context);
  const loading = loadGiven(encoded, path, engine);
  await withLoaded({ io, json, progress }, loading, async loaded => {
    noteUnusedSettings(io, options, loaded);
    const { model, tokenizer } = loaded;
    const hasText = !(tokenizer instanceof LlamaError);
    const forOutput = hasText ? tokenizer : idsOnly(model.config, tokenizer);
    const steps = generate(model, forOutput, prompt, {
      ...generationFor(model.config),
      signal,
      onProgress: step => showProgress(io, progress, step),
    });
    const printPlain = hasText ? printText : printIds;
    const result = json
      ? await printJson(io, loaded, prompt, steps)
      : await printPlain(io, steps, progress);
    progress.clear();
    if (json) return;
    if (constraint === undefined) noteLimit(io, options, result);
    else noteCutJson(io, result);
  });
}

/** Before loading: stop strings need a text. */
function refuseStop({ tokenizer }: EncodedPrompt, options: Options): void {
  if (!(tokenizer instanceof LlamaError) || generationOptions(options).stop?.length === 0) return;
  throw withoutText(tokenizer, 'give --stop-token-ids in place of --stop');
}

function showProgress(io: Io, progress: Progress, { stage, done, total }: GenerateProgress): void {
  // A terminal that shows the text needs no line that says how much of it there is.
  if (stage === 'prefill') progress.prefill(done, total);
  else if (!io.stdout.isTTY) progress.decode(done, total);
}

/** That the text has ended at a limit that nobody asked for. */
function noteLimit(io: Io, options: Options, { finishReason, tokens }: GenerationResult): void {
  const hasLimit = ['max-new-tokens', 'max-length'].some(name => options.text(name) !== undefined);
  if (finishReason !== 'length' || hasLimit) return;
  note(io, `ended after ${tokens.length} tokens, the limit; --max-new-tokens N allows more`);
}

function noteCutJson(io: Io, { finishReason, tokens }: GenerationResult): void {
  if (finishReason === 'eos') return;
  const end = finishReason === 'length' ? 'the limit; --max-new-tokens N allows more' : '--stop';
  note(io, `the JSON is not complete: ended after ${tokens.length} tokens, ${end}`);
}

type Steps = AsyncIterable<GenerationStep>;

async function printText(io: Io, steps: Steps, progress: Progress): Promise<GenerationResult> {
  let result: GenerationResult | undefined;
  let written = '';
  try {
    for await (const step of steps) {
      result = step.result;
      if (step.text === '') continue;
      if (io.stdout.isTTY) progress.clear();
      await write(io.stdout, escapeFor(io.stdout, step.text));
      written = step.text;
    }
  } finally {
    if (io.stdout.isTTY && !written.endsWith('\n')) await write(io.stdout, '\n');
  }
  return result!;
}

/** As --tokens takes them. */
async function printIds(io: Io, steps: Steps, progress: Progress): Promise<GenerationResult> {
  let result: GenerationResult | undefined;
  let separator = '';
  try {
    for await (const step of steps) {
      result = step.result;
      if (io.stdout.isTTY) progress.clear();
      await write(io.stdout, `${separator}${step.token}`);
      separator = ',';
    }
  } finally {
    if (separator !== '') await write(io.stdout, '\n');
  }
  return result!;
}

async function printJson(
  io: Io,
  loaded: LoadedForIds,
  prompt: readonly number[],
  steps: Steps,
): Promise<GenerationResult> {
  const logprobs = [];
  let result: GenerationResult | undefined;
  for await (const step of steps) {
    if (step.logprob !== undefined) {
      logprobs.push({ token: step.token, logprob: step.logprob, top_logprobs: step.topLogprobs });
    }
    result = step.result;
  }
  const scored = result!.promptLogprobs?.map((known, i) => {
    if (known === undefined) return { token: prompt[i] };
    return { token: prompt[i], logprob: known.logprob, top_logprobs: known.topLogprobs };
  });
  await writeJson(io, {
    ...resultAsJson(loaded, result!),
    ...(loaded.tokenizer instanceof LlamaError && { text: null }),
    ...(logprobs.length > 0 && { logprobs }),
    ...(scored !== undefined && { prompt_logprobs: scored }),
  });
  return result!;
}
