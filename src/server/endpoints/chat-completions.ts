/** POST /v1/chat/completions: a conversation, answered. */
import { type GenerationResult, type GenerationStep, hasToken } from '../../text/result.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import { chatCompletion, chatCompletionChunk } from '../schemas/answers/chat.js';
import { asksForLogprobs, type ChatRequest, chatRequest } from '../schemas/chat.js';
import { encodeMessages, notToldOf, textOfPrompt } from '../texts/conversation.js';
import { generateOptions, seedOf } from '../texts/options.js';
import { checkModel, checkNumerics, type Served } from '../texts/served.js';
import {
  chatLogprobs,
  flatLogprobs,
  promptScores,
  type ScoredToken,
  tokenIdsOf,
} from '../texts/tokens.js';
import type { Writing } from '../texts/write.js';
import { answer } from './answer.js';
import { endpoint } from './endpoint.js';
import type { Shape } from './shape.js';

export const chatCompletions = endpoint<ChatRequest>({
  method: 'POST',
  path: '/v1/chat/completions',
  summary: 'The answer to a conversation.',
  body: chatRequest,
  answers: { 'application/json': chatCompletion, 'text/event-stream': chatCompletionChunk },
  async handle(asked, services) {
    const { body } = asked;
    checkModel(services.served, body.model);
    checkNumerics(services.served, body.numerics);
    const writings = writingsOf(body, services.served);
    const warnings = [...asked.warnings, ...notToldOf(body.messages)];
    const shape = shapeOf(body, services.served, writings);
    return answer({ ...asked, warnings }, services, writings, shape);
  },
});

/** The same prompt for every choice. */
function writingsOf(body: ChatRequest, served: Served): Writing[] {
  const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? undefined;
  const prompt = encodeMessages(served, body.messages, maxTokens);
  const options = {
    ...generateOptions(body, served, maxTokens, served.format.ends(served.model.config)),
    logprobs: topLogprobsOf(body),
  };
  return Array.from({ length: body.n ?? 1 }, (_, choice) => ({
    prompt,
    options: {
      ...options,
      seed: seedOf(body, choice),
      // It is the same for all.
      promptLogprobs: choice === 0 && body.echo && asksForLogprobs(body.logprobs) ? 0 : undefined,
    },
  }));
}

/** How many alternatives, or undefined if there are to be no log-probabilities. */
function topLogprobsOf({ logprobs, top_logprobs: top }: ChatRequest): number | undefined {
  if (typeof logprobs === 'number') return top ?? logprobs;
  return logprobs === true ? (top ?? 0) : undefined;
}

function shapeOf(body: ChatRequest, served: Served, [{ prompt }]: readonly Writing[]): Shape {
  const { tokenizer } = served;
  const isScored = asksForLogprobs(body.logprobs);
  const hasIds = body.return_token_ids === true;
  const scores = (steps: readonly GenerationStep[]) =>
    isScored ? scoresOf(body, tokenizer, steps.filter(hasToken)) : null;
  const ids = (steps: readonly GenerationStep[]) => (hasIds ? tokenIdsOf(steps) : {});
  return {
    prefix: 'chatcmpl',
    objects: { whole: 'chat.completion', event: 'chat.completion.chunk' },
    besides: ([first]) => ({
      ...(hasIds && { prompt_token_ids: prompt }),
      ...(body.echo && { prompt: [echoOf(prompt, served, isScored ? first.result : undefined)] }),
    }),
    whole: (_, { steps, result }) => ({
      message: { role: 'assistant', content: result!.text, refusal: null },
      logprobs: scores(steps),
      ...ids(steps),
    }),
    begin: () => ({ delta: { role: 'assistant', content: '' }, logprobs: null }),
    part: (_, step) =>
      step.text === '' && !isScored && !hasIds
        ? undefined
        : { delta: { content: step.text }, logprobs: scores([step]), ...ids([step]) },
    end: () => ({ delta: {}, logprobs: null }),
  };
}

/** The prompt as Together has it, whose client asks for it; with `result`, scored. */
const echoOf = (prompt: readonly number[], served: Served, result?: GenerationResult) => ({
  text: textOfPrompt(prompt, served),
  ...(result && { logprobs: flatLogprobs(served.tokenizer, promptScores(prompt, result)) }),
});

/** Who asks by a number, as Together's client does, has its names for the same numbers besides. */
function scoresOf({ logprobs }: ChatRequest, tokenizer: Tokenizer, tokens: readonly ScoredToken[]) {
  const scores = chatLogprobs(tokenizer, tokens);
  return typeof logprobs === 'number' ? { ...scores, ...flatLogprobs(tokenizer, tokens) } : scores;
}
