/**
 * A prompt, continued token by token.
 *
 *     const options = { maxNewTokens: 100 };
 *     for await (const step of generate(model, tokenizer, prompt, options)) show(step.text);
 *
 * The prompt is computed in chunks, then one token at a time: sample, show, compute. What comes out
 * depends on weights, prompt, options and seed only, not on the chunk size. Leaving the loop early
 * frees the memory; an aborted signal rejects with its reason.
 *
 * Not here: the card's prompt format (`prompt.ts`; a string is taken as it is, with BOS in front),
 * choosing a token (`sampling/`), several texts at a time.
 */

import { check } from '../base/errors.js';
import { checkOption, isIntegerFrom } from '../base/options.js';
import type { Floats, Tensor } from '../base/tensor.js';
import type { LlamaConfig } from '../model/config.js';
import { type End, Output, type StreamTokenizer } from './output.js';
import { defaultStopTokenIds, encodePrompt, type PromptTokenizer } from './prompt.js';
import { logprobsOf, MAX_TOP_LOGPROBS, type StepLogprobs } from './sampling/logprobs.js';
import { createSampler, type Sampler, type SamplingOptions } from './sampling/sampler.js';
import { StopMatcher } from './stop.js';

/** What `generate` needs of a model; `src/model/llama.ts` is one. */
export interface GenerateModel {
  readonly config: Pick<
    LlamaConfig,
    'vocabSize' | 'maxPositionEmbeddings' | 'eosTokenIds' | 'bosTokenId'
  >;
  createSequence(): GenerateSequence;
  /** Logits [logitsFor.length, V] of the rows that `logitsFor` names. */
  forward(
    rows: readonly {
      readonly token: number;
      readonly position: number;
      readonly sequence: GenerateSequence;
    }[],
    options: {
      readonly logitsFor: readonly number[];
      readonly signal?: AbortSignal | undefined;
      readonly onLayer?: ((done: number, total: number) => void) | undefined;
    },
  ): Promise<Tensor>;
}

export interface GenerateSequence {
  readonly length: number;
  dispose(): void;
}

/** What `generate` needs of a tokenizer; `src/tokenizer` is one. */
export type GenerateTokenizer = PromptTokenizer & StreamTokenizer;

export interface GenerateOptions extends SamplingOptions {
  /**
   * At most so many tokens after the prompt, 1 or more. Default: until a stop, or the end of the
   * context.
   */
  readonly maxNewTokens?: number | undefined;
  /**
   * At most so many tokens with the prompt, as Hugging Face counts max_length. If both are given,
   * both hold.
   */
  readonly maxLength?: number | undefined;
  /** Texts that end the output; neither they nor anything after them is shown. Default: none. */
  readonly stop?: readonly string[] | undefined;
  /** Tokens that end the output. Default: end of text and BOS, see `defaultStopTokenIds`. */
  readonly stopTokenIds?: readonly number[] | undefined;
  /**
   * Log-probabilities with every step: of the token, and of so many likeliest ones, 0 … 20.
   * Default: none.
   */
  readonly logprobs?: number | undefined;
  /** Prompt tokens per forward pass: more is faster, and takes more memory. Default 512. */
  readonly chunkSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: GenerateProgress) => void) | undefined;
}

export interface GenerateProgress {
  readonly stage: 'prefill' | 'decode';
  /** Tokens, of the prompt or of the output. */
  readonly done: number;
  /** When decoding: at most so many. */
  readonly total: number;
}

/**
 * With option `logprobs`, also those of the model itself: before penalty, temperature and filters.
 */
export interface GenerationStep extends Partial<StepLogprobs> {
  readonly token: number;
  /**
   * What can be shown now, often nothing: incomplete UTF-8 and what may become a stop string are
   * held back.
   */
  readonly text: string;
  /** In the last step, and only there. */
  readonly result?: GenerationResult;
}

/** `finishReason` is `length` for maxNewTokens, maxLength and the end of the context alike. */
export interface GenerationResult extends End {
  /**
   * The texts of all steps: what follows the prompt's text, spaces included, up to the stop token
   * or stop string.
   */
  readonly text: string;
  /**
   * All tokens after the prompt. As in Hugging Face the stop token is one of them; so are those of
   * the stop string.
   */
  readonly tokens: readonly number[];
  readonly promptTokens: number;
  /** Undefined when greedy. */
  readonly seed: number | undefined;
  readonly timings: Timings;
}

/** Time spent in forward passes. */
export interface Timings {
  /** The prompt; the first token follows from it. */
  readonly prefillSeconds: number;
  /** All tokens but the first. */
  readonly decodeSeconds: number;
}

/**
 * Continues `prompt`: a text, put in front of which is BOS, or token ids, taken as given.
 *
 * Throws at once, before anything is computed: BAD_OPTION; BAD_INPUT for no token or one outside
 * the vocabulary; CONTEXT_OVERFLOW if the prompt leaves no room for a token (nothing is ever
 * truncated). Iterating rejects with `signal.reason`, or with NOT_FINITE.
 */
export function generate(
  model: GenerateModel,
  tokenizer: GenerateTokenizer,
  prompt: string | readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<GenerationStep, void, undefined> {
  const ids = typeof prompt === 'string' ? encodePrompt(tokenizer, prompt) : prompt;
  checkPrompt(ids, model.config);
  return steps(model, tokenizer, ids, checkOptions(options, ids.length, model.config));
}

/** The same, to the end: when only the result matters. */
export async function complete(...args: Parameters<typeof generate>): Promise<GenerationResult> {
  let result: GenerationResult | undefined;
  for await (const step of generate(...args)) result = step.result;
  return result!;
}

/**
 * How many positions `generate` takes at most, to know before a model is loaded. Throws what
 * `generate` throws at once.
 */
export function positionsNeeded(
  prompt: readonly number[],
  options: GenerateOptions,
  config: GenerateModel['config'],
): number {
  checkPrompt(prompt, config);
  return checkOptions(options, prompt.length, config).limit;
}

function checkPrompt(ids: readonly number[], { vocabSize }: GenerateModel['config']): void {
  check(
    ids.length > 0,
    'BAD_INPUT',
    () => 'the prompt has no token to continue from; begin it with BOS',
  );
  const bad = ids.find(id => !isIntegerFrom(id, 0, vocabSize - 1));
  check(
    bad === undefined,
    'BAD_INPUT',
    () => `prompt token ${bad} is not in the vocabulary, 0 … ${vocabSize - 1}`,
  );
}

interface Plan {
  readonly sampler: Sampler;
  /** Tokens, with the prompt's, at which to end. */
  readonly limit: number;
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly logprobs: number | undefined;
  readonly chunkSize: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: GenerateProgress) => void;
}

function checkOptions(
  options: GenerateOptions,
  promptTokens: number,
  config: GenerateModel['config'],
): Plan {
  const {
    maxNewTokens,
    maxLength,
    stop = [],
    stopTokenIds = defaultStopTokenIds(config),
    ...others
  } = options;
  const { logprobs, chunkSize = 512, signal, onProgress = () => {}, ...sampling } = others;
  const sampler = createSampler(sampling); // which refuses every name not taken out above
  const orAbsent = (value: unknown, holds: boolean) => value === undefined || holds;
  const top = MAX_TOP_LOGPROBS;
  checkOption(
    'maxNewTokens',
    maxNewTokens,
    orAbsent(maxNewTokens, isIntegerFrom(maxNewTokens, 1)),
    'an integer above 0',
  );
  checkOption(
    'maxLength',
    maxLength,
    orAbsent(maxLength, isIntegerFrom(maxLength, 1)),
    'an integer above 0',
  );
  checkOption(
    'logprobs',
    logprobs,
    orAbsent(logprobs, isIntegerFrom(logprobs, 0, top)),
    `an integer from 0 to ${top}`,
  );
  checkOption('chunkSize', chunkSize, isIntegerFrom(chunkSize, 1), 'an integer above 0');
  checkOption('stop', stop, Array.isArray(stop), 'a list of non-empty strings');
  new StopMatcher(stop); // throws now rather than at the first step
  const inVocabulary =
    Array.isArray(stopTokenIds) &&
    stopTokenIds.every(id => isIntegerFrom(id, 0, config.vocabSize - 1));
  checkOption(
    'stopTokenIds',
    stopTokenIds,
    inVocabulary,
    `a list of token ids, 0 … ${config.vocabSize - 1}`,
  );

  checkRoom(
    promptTokens,
    config.maxPositionEmbeddings,
    "the model's context (maxPositionEmbeddings)",
  );
  if (maxLength !== undefined)
    checkRoom(promptTokens, maxLength, 'maxLength, which counts the prompt');
  const limit = Math.min(
    config.maxPositionEmbeddings,
    maxLength ?? Infinity,
    promptTokens + (maxNewTokens ?? Infinity),
  );
  return { sampler, limit, stop, stopTokenIds, logprobs, chunkSize, signal, onProgress };
}

function checkRoom(promptTokens: number, limit: number, name: string): void {
  check(promptTokens < limit, 'CONTEXT_OVERFLOW', () => {
    return (
      `the prompt has ${promptTokens} tokens, and ${limit} is ${name}; no room is left for ` +
      'output: shorten the prompt'
    );
  });
}

async function* steps(
  model: GenerateModel,
  tokenizer: GenerateTokenizer,
  prompt: readonly number[],
  plan: Plan,
): AsyncGenerator<GenerationStep, void, undefined> {
  const sequence = model.createSequence();
  try {
    const ids = [...prompt];
    const output = new Output(tokenizer, prompt, plan.stop, plan.stopTokenIds);
    const pass = new ForwardPasses(model, sequence, plan);
    let logits = await pass.prefill(prompt);
    for (;;) {
      const token = plan.sampler.sample(logits, ids);
      ids.push(token);
      const text = output.push(token, ids.length === plan.limit);
      const logprobs = plan.logprobs === undefined ? {} : logprobsOf(logits, token, plan.logprobs);
      const step: GenerationStep = { token, text, ...logprobs };
      plan.onProgress({
        stage: 'decode',
        done: ids.length - prompt.length,
        total: plan.limit - prompt.length,
      });
      if (output.end !== undefined) {
        const tokens = ids.slice(prompt.length);
        const { timings } = pass;
        const { seed } = plan.sampler;
        yield {
          ...step,
          result: {
            text: output.text,
            tokens,
            ...output.end,
            promptTokens: prompt.length,
            seed,
            timings,
          },
        };
        return;
      }
      yield step;
      logits = await pass.decode(token);
    }
  } finally {
    sequence.dispose();
  }
}

/** The forward passes of one sequence, timed, and with the signal looked at before and after. */
class ForwardPasses {
  readonly timings = { prefillSeconds: 0, decodeSeconds: 0 };
  readonly #model: GenerateModel;
  readonly #sequence: GenerateSequence;
  readonly #plan: Plan;

  constructor(model: GenerateModel, sequence: GenerateSequence, plan: Plan) {
    this.#model = model;
    this.#sequence = sequence;
    this.#plan = plan;
  }

  /** Logits, [V], of the last token of `prompt`. */
  async prefill(prompt: readonly number[]): Promise<Floats> {
    const { chunkSize, onProgress } = this.#plan;
    const total = prompt.length;
    for (let start = 0; ; start += chunkSize) {
      const done = Math.min(start + chunkSize, total);
      // A chunk of a long prompt can take minutes: layers are shown as the part of its tokens that
      // they are.
      const onLayer = (layer: number, layers: number) => {
        if (layer === layers) return;
        onProgress({
          stage: 'prefill',
          done: start + Math.floor(((done - start) * layer) / layers),
          total,
        });
      };
      const logits = await this.#forward(
        'prefillSeconds',
        prompt.slice(start, done),
        done === total,
        onLayer,
      );
      onProgress({ stage: 'prefill', done, total });
      if (done === total) return logits;
    }
  }

  /** Logits, [V], of `token`. */
  decode(token: number): Promise<Floats> {
    return this.#forward('decodeSeconds', [token], true);
  }

  async #forward(
    clock: keyof Timings,
    tokens: readonly number[],
    wantsLogits: boolean,
    onLayer?: (done: number, total: number) => void,
  ): Promise<Floats> {
    const { signal } = this.#plan;
    signal?.throwIfAborted();
    const sequence = this.#sequence;
    const first = sequence.length;
    const rows = tokens.map((token, i) => ({ token, position: first + i, sequence }));
    const began = performance.now();
    const logits = await this.#model.forward(rows, {
      logitsFor: wantsLogits ? [rows.length - 1] : [],
      signal,
      onLayer,
    });
    this.timings[clock] += (performance.now() - began) / 1000;
    signal?.throwIfAborted();
    return logits.data;
  }
}
