/** `llama-32k generate`: a prompt, continued. */

import { check } from '../../base/errors.js';
import { type LoadedModel, loadModel } from '../../load/model.js';
import { openTokenizer } from '../../load/tokenizer.js';
import type { LlamaConfig } from '../../model/config.js';
import { generate, positionsNeeded } from '../../text/generate.js';
import type { GenerationResult, GenerationStep } from '../../text/generation.js';
import type { GenerateProgress } from '../../text/options.js';
import { CARD_STOP_STRINGS } from '../../text/prompt.js';
import {
  CARD_SETTINGS,
  GENERATION_OPTIONS,
  generationOptions,
  LOGPROBS,
  resultAsJson,
} from '../arguments/generation.js';
import { noteUnusedSettings } from '../arguments/generation-config.js';
import { ENGINE, engineOptions, modelPath, withLoaded } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { encodeGiven, PROMPT_OPTIONS, readPrompt, writtenText } from '../arguments/prompt.js';
import { refuseTooLong } from '../arguments/prompt-length.js';
import { ABOUT_EMBEDDED } from '../arguments/suggestions.js';
import { escapeFor } from '../terminal/escape.js';
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
    ABOUT_EMBEDDED,
  ],
  options: [...MODEL, ...PROMPT_OPTIONS, ...GENERATION_OPTIONS, ...LOGPROBS, ...ENGINE],
  json:
    'Print {text, tokens, finish_reason: stop | length, prompt_tokens, completion_tokens, ' +
    'timings, seed, model, kernels} and, if asked for, logprobs: [{token, logprob, ' +
    'top_logprobs}].',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const json = options.flag('json');
  const logprobs = options.integer('logprobs');
  check(
    json || logprobs === undefined,
    'BAD_OPTION',
    () => '--logprobs needs --json: without it only text is printed',
  );
  const given = await readPrompt(options, io);
  const path = await modelPath(options, io);
  await refuseTooLong(writtenText(given), path, options.integer('context'));
  const tokenizer = await openTokenizer(path);
  const { ids: prompt, format } = await encodeGiven(given, { path, tokenizer }, options, io);
  const generationFor = (config: LlamaConfig) => {
    return { ...generationOptions(options, format?.ends(config)), logprobs };
  };
  const progress = new Progress(io, json);
  const signal = abortOnInterrupt(io);
  // What cannot be generated to the end is refused now, before minutes of loading.
  const context = (config: LlamaConfig) => positionsNeeded(prompt, generationFor(config), config);
  const engine = engineOptions(options, { signal, progress }, context);
  await withLoaded({ io, json, progress }, loadModel(path, engine, tokenizer), async loaded => {
    noteUnusedSettings(io, options, loaded);
    const steps = generate(loaded.model, tokenizer, prompt, {
      ...generationFor(loaded.model.config),
      signal,
      onProgress: step => showProgress(io, progress, step),
    });
    const result = json ? await printJson(io, loaded, steps) : await printText(io, steps, progress);
    progress.clear();
    if (!json) noteLimit(io, options, result);
  });
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

async function printJson(io: Io, loaded: LoadedModel, steps: Steps): Promise<GenerationResult> {
  const logprobs = [];
  let result: GenerationResult | undefined;
  for await (const step of steps) {
    if (step.logprob !== undefined) {
      logprobs.push({ token: step.token, logprob: step.logprob, top_logprobs: step.topLogprobs });
    }
    result = step.result;
  }
  await writeJson(io, {
    ...resultAsJson(loaded, result!),
    ...(logprobs.length > 0 && { logprobs }),
  });
  return result!;
}
