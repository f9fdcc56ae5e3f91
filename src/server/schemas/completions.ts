import { z } from 'zod';
import {
  ANSWER,
  CACHE,
  COMPLETIONS_ONLY,
  IGNORED,
  LOGPROBS_MODE,
  maxTokensOrNone,
  model,
  OUTPUT,
  optional,
  SAMPLING,
  STREAMED_ECHO,
  tokenIds,
  topLogprobs,
  WITHOUT_EFFECT,
} from './common.js';
import { responseFormat } from './response-format.js';

const text = z.string().min(1);

const fields = z.strictObject({
  model,
  prompt: z
    .union([text, z.array(text).min(1), tokenIds, z.array(tokenIds).min(1)], {
      error: 'must be a text, token ids, or a list of either, none of them empty',
    })
    .describe(
      'What is continued: a text, in front of which BOS is put; token ids, taken as they are; or ' +
        'a list of either, each of which is continued.',
    ),
  max_tokens: optional(maxTokensOrNone).describe(
    'At most so many; 0 with echo. Default: until the model ends, or the context is full.',
  ),
  echo: optional(z.boolean()).describe(
    'The prompt in front of the output; with logprobs those of its tokens, too, the first of ' +
      'which is null.',
  ),
  ...SAMPLING,
  ...OUTPUT,
  logprobs: optional(topLogprobs).describe(
    "The model's own log-probabilities of each token and of so many likeliest ones, 0 to 20.",
  ),
  response_format: responseFormat,
  ...ANSWER,
  ...LOGPROBS_MODE,
  ...CACHE,
  ...WITHOUT_EFFECT,
  ...COMPLETIONS_ONLY,
  ...IGNORED,
});

/** POST /v1/completions */
export const completionRequest = fields
  .refine(({ max_tokens: most, echo }) => most !== 0 || echo === true, {
    path: ['max_tokens'],
    error: 'must be at least 1 without echo',
  })
  .refine(({ stream, echo, logprobs }) => !(stream && echo && typeof logprobs === 'number'), {
    path: ['stream'],
    error: STREAMED_ECHO,
  });

export type CompletionRequest = z.infer<typeof completionRequest>;
