/** What answers with text have in common. The sentences are of docs/api.md, as of requests. */
import { z } from 'zod';

export const count = z.int().min(0);
export const tokenIds = z.array(count);
export const logprob = z.number().max(0);

export const usage = z
  .strictObject({
    prompt_tokens: count.describe('Of each prompt once, however many choices it has.'),
    completion_tokens: count.describe('Of all choices, with the tokens that ended them.'),
    total_tokens: count.describe('Both together.'),
    prompt_tokens_details: z.strictObject({
      cached_tokens: count.describe('Known from earlier requests, and not read again.'),
    }),
    completion_tokens_details: z.strictObject({
      accepted_prediction_tokens: count.describe(
        'Computed ahead of their turn, because the text had gone on so before; they came.',
      ),
      rejected_prediction_tokens: count.describe(
        'The same; they did not come, and are no part of completion_tokens.',
      ),
    }),
  })
  .describe('What was computed: see usage and timings.');

const milliseconds = z.number().min(0);
const rate = z.number().min(0).nullable();

/** A rate of nothing is null. */
export const timings = z
  .strictObject({
    cache_n: count.describe('Tokens of prompts that were not read again.'),
    prompt_n: count.describe('Tokens of prompts that were read.'),
    prompt_ms: milliseconds.describe('Reading them, to the first token.'),
    prompt_per_token_ms: rate.describe('The same for one of them; null if there is none.'),
    prompt_per_second: rate.describe('So many of them in a second.'),
    predicted_n: count.describe('Tokens of output.'),
    predicted_ms: milliseconds.describe('Writing them, from the first token on.'),
    predicted_per_token_ms: rate.describe('The same for one of them; null if there is none.'),
    predicted_per_second: rate.describe('So many of them in a second.'),
  })
  .describe('How long it took, as llama.cpp tells it: see usage and timings.');

export const warnings = z
  .array(z.string())
  .optional()
  .describe('What was asked for and has no effect, if there is anything.');

/** Whose answer it is; all events of a stream have the same. */
export const HEAD = {
  id: z.string().describe('Of this answer.'),
  created: count.describe('When, in seconds since 1970.'),
  model: z.string().describe('The id of the model.'),
  system_fingerprint: z.string().describe('Of all that decides answers, as in /version.'),
  warnings,
};

export const index = count.describe('Counted from 0: first all choices of the first prompt.');

export const finishReason = z
  .enum(['stop', 'length'])
  .describe('stop: the model or a stop text has ended it; length: max_tokens or the context.');

export const finishReasonOfEvent = finishReason.nullable().describe('null until its choice ends.');

/** What a whole answer tells at its end. */
export const COST = { usage, timings };

/** What an event has besides choices, where it has. */
export const EVENT = {
  usage: usage.nullable().optional().describe('With include_usage: in the last event; else null.'),
  timings: timings.optional().describe('With the last finish_reason.'),
  prompt_progress: z
    .strictObject({
      total: count.describe('Tokens of the prompt.'),
      cache: count.describe('Those that were known from earlier requests.'),
      processed: count.describe('How many are done, with those.'),
      time_ms: milliseconds.describe('Since the request came.'),
    })
    .optional()
    .describe('With return_progress: how far the prompt is read; there are no choices then.'),
};
