/** What POST /v1/chat/completions answers. */
import { z } from 'zod';
import {
  COST,
  EVENT,
  finishReason,
  finishReasonOfEvent,
  HEAD,
  index,
  logprob,
  tokenIds,
} from './text.js';

const scored = {
  token: z.string().describe('Its text; bytes of a character are written as bytes:\\xe2\\x82.'),
  logprob: logprob.describe('Natural, of the model itself, unless logprobs_mode says otherwise.'),
  bytes: z.array(z.int().min(0).max(255)).describe('Its text in UTF-8, or a part of a character.'),
};

/** Lists of the same length, as Together has them. */
const FLAT = {
  tokens: z.array(z.string()),
  token_logprobs: z.array(logprob.nullable()),
  token_ids: tokenIds,
};

const logprobs = z
  .strictObject({
    content: z.array(z.strictObject({ ...scored, top_logprobs: z.array(z.strictObject(scored)) })),
    refusal: z.null(),
    ...z.strictObject(FLAT).partial().shape,
  })
  .nullable()
  .describe('If asked for. Where they are asked for by a number, as lists, too.');

const ids = tokenIds.optional().describe('With return_token_ids.');

/** In the first event of a stream nothing is scored yet. */
const echoed = z.strictObject({ text: z.string() });
const scoredEcho = echoed.extend({ logprobs: z.strictObject(FLAT).optional() });
const WITH_ECHO = 'With echo: what the model read.';

export const chatCompletion = z.strictObject({
  object: z.literal('chat.completion'),
  ...HEAD,
  choices: z.array(
    z.strictObject({
      index,
      message: z.strictObject({
        role: z.literal('assistant'),
        content: z.string().describe('The answer.'),
        refusal: z.null(),
      }),
      logprobs,
      token_ids: ids,
      finish_reason: finishReason,
    }),
  ),
  prompt_token_ids: ids,
  prompt: z.tuple([scoredEcho]).optional().describe(WITH_ECHO),
  ...COST,
});

export const chatCompletionChunk = z.strictObject({
  object: z.literal('chat.completion.chunk'),
  ...HEAD,
  choices: z.array(
    z.strictObject({
      index,
      delta: z.strictObject({
        role: z.literal('assistant').optional().describe('In the first event of a choice.'),
        content: z.string().optional().describe('What comes next.'),
      }),
      logprobs,
      token_ids: ids,
      finish_reason: finishReasonOfEvent,
    }),
  ),
  prompt_token_ids: ids,
  prompt: z.tuple([echoed]).optional().describe(WITH_ECHO),
  ...EVENT,
});
