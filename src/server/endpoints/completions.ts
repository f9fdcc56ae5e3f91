/** POST /v1/completions: texts or token ids, continued. */

import { encodePrompt } from '../../text/prompt.js';
import { type GenerationStep, hasToken } from '../../text/result.js';
import { type CompletionRequest, completionRequest } from '../schemas/completions.js';
import { generateOptions, seedOf } from '../texts/options.js';
import { checkLength, checkRoom } from '../texts/room.js';
import { checkModel, checkNumerics, type Served } from '../texts/served.js';
import { TextPlaces } from '../texts/text-places.js';
import { checkTokenIds } from '../texts/token-ids.js';
import { completionLogprobs } from '../texts/tokens.js';
import type { Writing } from '../texts/write.js';
import { answer } from './answer.js';
import { endpoint } from './endpoint.js';
import type { Shape } from './shape.js';

export const completions = endpoint<CompletionRequest>({
  method: 'POST',
  path: '/v1/completions',
  summary: 'The continuation of a text, or of each of several, or of token ids.',
  body: completionRequest,
  async handle(asked, services) {
    const { body } = asked;
    checkModel(services.served, body.model);
    checkNumerics(services.served, body.numerics);
    const writings = writingsOf(body, services.served);
    return answer(asked, services, writings, shapeOf(body, services.served, writings));
  },
});

/** `n` choices of the first prompt, then those of the second. */
function writingsOf(body: CompletionRequest, served: Served): Writing[] {
  const maxTokens = body.max_tokens ?? undefined;
  const options = {
    ...generateOptions(body, maxTokens),
    logprobs: body.logprobs ?? undefined,
  };
  const prompts = promptsOf(body.prompt);
  return prompts.flatMap((given, i) => {
    const param = prompts.length === 1 ? 'prompt' : `prompt[${i}]`;
    const prompt = encode(given, param, served, maxTokens);
    return Array.from({ length: body.n ?? 1 }, (_, choice) => ({
      prompt,
      options: { ...options, seed: seedOf(body, choice) },
    }));
  });
}

type Prompt = string | readonly number[];

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
  writings: readonly Writing[],
): Shape {
  const hasLogprobs = typeof body.logprobs === 'number';
  const hasIds = body.return_token_ids === true;
  const places = writings.map(({ prompt }) => new TextPlaces(tokenizer, prompt));
  const scores = (index: number, steps: readonly GenerationStep[]) => {
    if (!hasLogprobs) return null;
    const placed = steps
      .filter(hasToken)
      .map(step => ({ ...step, offset: places[index].next(step.token) }));
    return completionLogprobs(tokenizer, placed);
  };
  const promptIds = (index: number) => (hasIds ? { prompt_token_ids: writings[index].prompt } : {});
  const ids = (steps: readonly GenerationStep[]) =>
    hasIds ? { token_ids: steps.filter(hasToken).map(({ token }) => token) } : {};
  return {
    prefix: 'cmpl',
    objects: { whole: 'text_completion', event: 'text_completion' },
    besides: {},
    whole: (index, { steps, result }) => ({
      text: result!.text,
      logprobs: scores(index, steps),
      ...promptIds(index),
      ...ids(steps),
    }),
    begin: index =>
      hasIds ? { text: '', logprobs: null, ...promptIds(index), token_ids: [] } : undefined,
    part: (index, step) =>
      step.text === '' && !hasLogprobs && !hasIds
        ? undefined
        : { text: step.text, logprobs: scores(index, [step]), ...ids([step]) },
    end: () => ({ text: '', logprobs: null }),
  };
}
