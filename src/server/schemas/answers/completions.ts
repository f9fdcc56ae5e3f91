/** What POST /v1/completions answers. */
import { z } from 'zod';
import {
  COST,
  count,
  EVENT,
  finishReason,
  finishReasonOfEvent,
  HEAD,
  index,
  logprob,
  tokenIds,
} from './text.js';

const logprobs = z
  .strictObject({
    tokens: z.array(z.string()),
    token_logprobs: z.array(logprob.nullable()),
    top_logprobs: z.array(z.record(z.string(), logprob).nullable()),
    text_offset: z.array(count),
  })
  .nullable()
  .describe(
    'If asked for: lists of the same length. With echo those of the prompt, too, of whose first ' +
      'token there are none.',
  );

const CHOICE = {
  index,
  text: z.string().describe('The continuation; with echo the prompt in front of it.'),
  logprobs,
  prompt_token_ids: tokenIds.optional().describe('With return_token_ids.'),
  token_ids: tokenIds.optional().describe('With return_token_ids.'),
};

const ANSWER = { object: z.literal('text_completion'), ...HEAD };

export const completion = z.strictObject({
  ...ANSWER,
  choices: z.array(z.strictObject({ ...CHOICE, finish_reason: finishReason })),
  ...COST,
});

export const completionEvent = z.strictObject({
  ...ANSWER,
  choices: z.array(z.strictObject({ ...CHOICE, finish_reason: finishReasonOfEvent })),
  ...EVENT,
});
