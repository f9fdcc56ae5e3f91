/**
 * A prompt, continued token by token.
 *
 *     for await (const step of generate(model, tokenizer, prompt, { maxNewTokens: 100 })) {
 *       process.stdout.write(step.text);
 *     }
 *
 * The prompt is computed in chunks, then one token at a time: sample, show, compute. What comes out
 * depends on weights, prompt, options and seed only, not on the chunk size. Leaving the loop early
 * frees the memory; an aborted signal rejects with its reason, or ends the text: option `onAbort`.
 * Who wants no steps asks for `.text()`, or for a stream (`generated-text.ts`).
 *
 * Not here: the card's prompt format (`prompt.ts`; a string is taken as it is, with BOS in front),
 * choosing a token (`sampling/`), the state of a text (`generation.ts`), several texts in one pass
 * (`scheduler/`).
 */
import { type GeneratedText, generatedText } from './generated-text.js';
import { Generation, type TextTokenizer } from './generation.js';
import { checkGenerateOptions, type GenerateOptions, type TextConfig } from './options.js';
import { advance, type GenerateModel } from './pass.js';
import { encodePrompt, type PromptTokenizer } from './prompt.js';
import type { GenerationResult, GenerationStep } from './result.js';

/** What `generate` needs of a tokenizer; `src/tokenizer` is one. */
export type GenerateTokenizer = PromptTokenizer & TextTokenizer;

/**
 * Continues `prompt`: a text, put in front of which is BOS, or token ids, taken as given.
 *
 * Throws at once, before anything is computed: BAD_OPTION; BAD_INPUT for no token or one outside
 * the vocabulary; CONTEXT_OVERFLOW if the prompt leaves no room for a token (nothing is ever
 * truncated). Iterating rejects with `signal.reason`, with NOT_FINITE, or
 * with BAD_OPTION where options leave no token to choose.
 */
export function generate(
  model: GenerateModel,
  tokenizer: GenerateTokenizer,
  prompt: string | readonly number[],
  options: GenerateOptions = {},
): GeneratedText {
  const generation = takeUp(model, tokenizer, prompt, options);
  return generatedText(generation, steps(model, generation));
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
  config: TextConfig,
): number {
  return checkGenerateOptions(options, prompt, config).limit;
}

/** The text that continues `prompt`; nothing is computed yet. Throws what `generate` throws. */
export function takeUp(
  model: GenerateModel,
  tokenizer: GenerateTokenizer,
  prompt: string | readonly number[],
  options: GenerateOptions,
): Generation {
  const { maxPositionEmbeddings } = model.config;
  const isText = typeof prompt === 'string';
  const ids = isText
    ? encodePrompt(tokenizer, prompt, { positions: maxPositionEmbeddings })
    : prompt;
  return new Generation(model, tokenizer, ids, options);
}

async function* steps(
  model: GenerateModel,
  generation: Generation,
): AsyncGenerator<GenerationStep, void, undefined> {
  const { signal } = generation;
  try {
    while (!generation.isDone) {
      const [{ steps, error }] = await advance(model, [generation], { signal });
      if (error !== undefined) throw error;
      yield* steps;
    }
  } finally {
    generation.dispose();
  }
}
