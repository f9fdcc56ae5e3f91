/** POST /v1/completions: texts or token ids, continued. */

import { encodePrompt } from '../../text/prompt.js';
import { type GenerationStep, hasToken } from '../../text/result.js';
import { completion, completionEvent } from '../schemas/answers/completions.js';
import { type CompletionRequest, completionRequest } from '../schemas/completions.js';
import { generateOptions, seedOf } from '../texts/options.js';
import { checkLength, checkRoom } from '../texts/room.js';
import { checkModel, checkNumerics, type Served } from '../texts/served.js';
import { TextPlaces } from '../texts/text-places.js';
import { checkTokenIds } from '../texts/token-ids.js';
import { completionLogprobs, promptScores, type ScoredToken, tokenIdsOf } from '../texts/tokens.js';
import type { Writing } from '../texts/write.js';
import { answer } from './answer.js';
import { endpoint } from './endpoint.js';
import type { Shape } from './shape.js';

export const completions = endpoint<CompletionRequest>({
  method: 'POST',
  path: '/v1/completions',
  summary: 'The continuation of a text, or of each of several, or of token ids.',
  body: completionRequest,
  answers: { 'application/json': completion, 'text/event-stream': completionEvent },
  async handle(asked, services) {
    const { body } = asked;
    checkModel(services.served, body.model);
    checkNumerics(services.served, body.numerics);
    const continuations = continuationsOf(body, services.served);
    return answer(asked, services, continuations, shapeOf(body, services.served, continuations));
  },
});

type Prompt = string | readonly number[];

/** A choice, and the prompt as it was given. */
interface Continuation extends Writing {
  readonly given: Prompt;
}

/** `n` choices of the first prompt, then those of the second. */
function continuationsOf(body: CompletionRequest, served: Served): Continuation[] {
  const maxTokens = body.max_tokens ?? undefined;
  const options = {
    ...generateOptions(body, served, maxTokens),
    logprobs: body.logprobs ?? undefined,
    promptLogprobs: promptLogprobsOf(body),
  };
  const prompts = promptsOf(body.prompt);
  return prompts.flatMap((given, i) => {
    const param = prompts.length === 1 ? 'prompt' : `prompt[${i}]`;
    const prompt = encode(given, param, served, maxTokens);
    return Array.from({ length: body.n ?? 1 }, (_, choice) => ({
      given,
      prompt,
      options: { ...options, seed: seedOf(body, choice) },
    }));
  });
}

/** Without them nothing would be computed of a prompt that nothing is to follow. */
function promptLogprobsOf({ echo, logprobs, max_tokens: most }: CompletionRequest) {
  const wanted = echo ? (logprobs ?? undefined) : undefined;
  return most === 0 ? (wanted ?? 0) : wanted;
}

function promptsOf(prompt: CompletionRequest['prompt']): Prompt[] {
  if (typeof prompt === 'string') return [prompt];
  const isIds = (items: typeof prompt): items is number[] => typeof items[0] === 'number';
  return isIds(prompt) ? [prompt] : prompt;
}

function encode(
  prompt: Prompt,
  param: string,
  { model, tokenizer }: Served,
  maxTokens: number | undefined,
): readonly number[] {
  const { maxPositionEmbeddings: positions } = model.config;
  if (typeof prompt === 'string') checkLength(tokenizer, prompt, positions, param);
  else checkTokenIds(prompt, model.config, param);
  const ids =
    typeof prompt === 'string' ? encodePrompt(tokenizer, prompt, { special: true }) : prompt;
  checkRoom(ids.length, maxTokens, positions, param);
  return ids;
}

function shapeOf(
  body: CompletionRequest,
  { tokenizer }: Served,
  continuations: readonly Continuation[],
): Shape {
  const echo = body.echo === true;
  const hasIds = body.return_token_ids === true;
  const promptText = (index: number): string => {
    const { given } = continuations[index];
    if (!echo) return '';
    return typeof given === 'string' ? given : tokenizer.decode(given);
  };
  const places = continuations.map(({ prompt }) => new TextPlaces(tokenizer, echo ? [] : prompt));
  const scores = (index: number, tokens: readonly ScoredToken[]) => {
    if (typeof body.logprobs !== 'number') return null;
    const placed = tokens.map(each => ({ ...each, offset: places[index].next(each.token) }));
    return completionLogprobs(tokenizer, placed);
  };
  const ids = (steps: readonly GenerationStep[]) => (hasIds ? tokenIdsOf(steps) : {});
  const promptIds = (index: number) =>
    hasIds ? { prompt_token_ids: continuations[index].prompt } : {};
  return {
    prefix: 'cmpl',
    objects: { whole: 'text_completion', event: 'text_completion' },
    besides: () => ({}),
    whole: (index, { steps, result }) => ({
      text: promptText(index) + result!.text,
      logprobs: scores(index, [
        ...(echo ? promptScores(continuations[index].prompt, result!) : []),
        ...steps.filter(hasToken),
      ]),
      ...promptIds(index),
      ...ids(steps),
    }),
    begin: index =>
      echo || hasIds
        ? { text: promptText(index), logprobs: null, ...promptIds(index), ...ids([]) }
        : undefined,
    part: (index, step) =>
      step.text === '' && typeof body.logprobs !== 'number' && !hasIds
        ? undefined
        : {
            text: step.text,
            logprobs: scores(index, [step].filter(hasToken)),
            ...ids([step]),
          },
    end: () => ({ text: '', logprobs: null }),
  };
}
