/** Fields that several requests have. Each has a sentence, of which docs/api.md is made. */
import { z } from 'zod';

/** As many as OpenAI allows; and of choices, as many as share a pass well. */
const MAX_STOPS = 4;
const MAX_CHOICES = 8;
const MAX_TOP_LOGPROBS = 20;

/** A field that may be left out; null is how many clients leave one out. */
export const optional = <T extends z.ZodType>(schema: T) => schema.nullish();

export const tokenId = z.int().min(0);
export const tokenIds = z.array(tokenId).min(1);

export const model = optional(z.string()).describe(
  'The id of the model, or an alias of it; the one that is served if left out.',
);

/** How tokens are chosen. */
export const SAMPLING = {
  temperature: optional(z.number().min(0).max(2)).describe(
    'Default 1, as the model says; 0 is greedy: the likeliest token.',
  ),
  top_p: optional(z.number().min(0).max(1)).describe(
    'Draw from the likeliest tokens that have this probability together. Default 1: all.',
  ),
  top_k: optional(z.int().min(-1)).describe(
    'Draw from so many of the likeliest tokens. Default 0: all; so is -1.',
  ),
  min_p: optional(z.number().min(0).max(1)).describe(
    'Not the tokens less likely than this fraction of the likeliest. Default 0: all.',
  ),
  seed: optional(z.int().min(0)).describe(
    'The same seed draws the same tokens, whatever else is computed. Default: random.',
  ),
  repetition_penalty: optional(z.number().gt(0)).describe(
    'Above 1 makes tokens of prompt and output less likely. Default 1.',
  ),
  frequency_penalty: optional(z.number().min(-2).max(2)).describe(
    'To subtract from a logit for each time that the output has the token. Default 0.',
  ),
  presence_penalty: optional(z.number().min(-2).max(2)).describe(
    'To subtract from the logits of tokens that the output has. Default 0.',
  ),
  logit_bias: optional(z.record(z.string().regex(/^\d+$/), z.number().min(-100).max(100))).describe(
    'By token id, what to add to a logit before penalties and temperature.',
  ),
};

/** Where the output ends, and how often it is written. */
export const OUTPUT = {
  n: optional(z.int().min(1).max(MAX_CHOICES)).describe(
    'So many answers; the i-th, counted from 0, is drawn with seed + i. Default 1.',
  ),
  stop: optional(
    z.union([z.string().min(1), z.array(z.string().min(1)).max(MAX_STOPS)], {
      error: `must be a text, or a list of at most ${MAX_STOPS}, none of them empty`,
    }),
  ).describe('Texts that end the output; they are not part of it.'),
  stop_token_ids: optional(z.array(tokenId)).describe(
    'Tokens that end the output, in place of those of the model.',
  ),
};

/** How the answer comes. */
export const ANSWER = {
  stream: optional(z.boolean()).describe('As server-sent events, as it is written.'),
  stream_options: optional(
    z.strictObject({
      include_usage: optional(z.boolean()).describe('One more event at the end, with usage.'),
    }),
  ).describe(
    'include_usage: with stream, one more event at the end, without choices and with usage, ' +
      'which is null in all others.',
  ),
  return_token_ids: optional(z.boolean()).describe('The ids of prompt and output, too.'),
  return_progress: optional(z.boolean()).describe(
    'With stream: how far the prompt is read, as prompt_progress {total, cache, processed, ' +
      'time_ms}.',
  ),
};

/** Why some of them do not go together. */
export const STREAMED_ECHO =
  'must be false with echo and logprobs: those of the prompt are known at the end';

/** Of what log-probabilities are. */
export const LOGPROBS_MODE = {
  logprobs_mode: optional(z.enum(['raw', 'processed'])).describe(
    'raw, the default: log-probabilities are those of the model. processed: those that tokens ' +
      'are drawn with, after biases, penalties, temperature and filters; raw still of a prompt.',
  ),
};

/** Whether a prompt is read that was read before. No token depends on it. */
export const CACHE = {
  cache_salt: optional(z.string().min(1)).describe(
    'Only requests with the same salt share what was read of their prompts: the time until the ' +
      'first token tells whether somebody else asked the same. Default: those without one share.',
  ),
  cache_prompt: optional(z.boolean()).describe(
    'Whether what was read before of such a prompt is not read again. It is kept for others in ' +
      'any case. Default true.',
  ),
};

/** What some clients send, and changes nothing here. */
export const IGNORED = {
  user: optional(z.string()).describe(
    'Whose text it is: users share the time fairly. It changes no token.',
  ),
  metadata: optional(z.unknown()).describe('Accepted and ignored.'),
  store: optional(z.boolean()).describe('Accepted and ignored: nothing is stored.'),
  service_tier: optional(z.string()).describe('Accepted and ignored.'),
};

/** Nothing but an empty list, or null. */
export const nothing = optional(z.array(z.never()).max(0));

const NEUTRAL = 'Accepted where it changes nothing: ';

/** What is accepted only with a value that changes nothing; `validate.ts` says why of others. */
export const WITHOUT_EFFECT = {
  context_length_exceeded_behavior: optional(z.literal('error')).describe(`${NEUTRAL}error.`),
  numerics: optional(z.string()).describe(
    'Refused unless it is the arithmetic of this server, which /version names.',
  ),
};

/** The same, for chat only. */
export const CHAT_ONLY = {
  tools: nothing.describe(`${NEUTRAL}none.`),
  tool_choice: optional(z.literal('none')).describe(`${NEUTRAL}none.`),
  parallel_tool_calls: optional(z.literal(false)).describe(`${NEUTRAL}false.`),
  functions: nothing.describe(`${NEUTRAL}none.`),
  function_call: optional(z.literal('none')).describe(`${NEUTRAL}none.`),
  modalities: optional(z.tuple([z.literal('text')])).describe(`${NEUTRAL}["text"].`),
  reasoning_effort: optional(z.literal('none')).describe(`${NEUTRAL}none.`),
  reasoning: optional(z.strictObject({ enabled: optional(z.literal(false)) })).describe(
    `${NEUTRAL}{"enabled": false}.`,
  ),
  chat_template_kwargs: optional(z.strictObject({})).describe(`${NEUTRAL}{}.`),
};

/** The same, for completions only. */
export const COMPLETIONS_ONLY = {
  best_of: optional(z.literal(1)).describe(`${NEUTRAL}1.`),
  suffix: optional(z.literal('')).describe(`${NEUTRAL}an empty text.`),
};

export const topLogprobs = z.int().min(0).max(MAX_TOP_LOGPROBS);
export const maxTokens = z.int().min(1);
export const maxTokensOrNone = z.int().min(0);
