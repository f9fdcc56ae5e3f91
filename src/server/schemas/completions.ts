import { z } from 'zod';
import {
  ANSWER,
  IGNORED,
  maxTokens,
  model,
  NO_SUFFIX,
  OUTPUT,
  optional,
  SAMPLING,
  tokenIds,
  topLogprobs,
  WITHOUT_EFFECT,
} from './common.js';

const text = z.string().min(1);

/** POST /v1/completions */
export const completionRequest = z.strictObject({
  model,
  prompt: z
    .union([text, z.array(text).min(1), tokenIds, z.array(tokenIds).min(1)], {
      error: 'must be a text, token ids, or a list of either, none of them empty',
    })
    .describe(
      'What is continued: a text, in front of which BOS is put; token ids, taken as they are; or ' +
        'a list of either, each of which is continued.',
    ),
  max_tokens: optional(maxTokens).describe(
    'At most so many. Default: until the model ends, or the context is full.',
  ),
  ...SAMPLING,
  ...OUTPUT,
  logprobs: optional(topLogprobs).describe(
    "The model's own log-probabilities of each token and of so many likeliest ones, 0 to 20.",
  ),
  ...ANSWER,
  ...WITHOUT_EFFECT,
  ...NO_SUFFIX,
  ...IGNORED,
});

export type CompletionRequest = z.infer<typeof completionRequest>;
