import { z } from 'zod';
import {
  ANSWER,
  CACHE,
  IGNORED,
  LOGPROBS_MODE,
  maxTokens,
  model,
  NO_TOOLS,
  nothing,
  OUTPUT,
  optional,
  SAMPLING,
  topLogprobs,
  WITHOUT_EFFECT,
} from './common.js';
import { responseFormat } from './response-format.js';

const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });

/** Several parts are joined by newlines. */
const content = z.union([z.string(), z.array(textPart).min(1)], {
  error: 'must be a text, or a list of parts {"type": "text", "text"}: there is only text here',
});

/** An answer may be sent back as it came: what it has besides is empty. */
const message = z.discriminatedUnion(
  'role',
  [
    z.strictObject({ role: z.enum(['system', 'developer', 'user']), content }),
    z.strictObject({
      role: z.literal('assistant'),
      content,
      refusal: optional(z.null()),
      audio: optional(z.null()),
      function_call: optional(z.null()),
      annotations: nothing,
      tool_calls: nothing,
    }),
  ],
  { error: 'must be system, developer, user or assistant' },
);

export const messages = z
  .array(message)
  .min(1)
  .describe(
    'The conversation: role system, developer, user or assistant, and content, a text or text ' +
      "parts. The model's chat template says which order of roles there may be.",
  );

/** POST /v1/chat/completions */
export const chatRequest = z.strictObject({
  model,
  messages,
  max_completion_tokens: optional(maxTokens).describe(
    'At most so many. Default: until the model ends, or the context is full.',
  ),
  max_tokens: optional(maxTokens).describe('The same, by its older name.'),
  ...SAMPLING,
  ...OUTPUT,
  logprobs: optional(z.union([z.boolean(), topLogprobs])).describe(
    "The model's own log-probabilities of each token; a number is top_logprobs, too.",
  ),
  top_logprobs: optional(topLogprobs).describe('And of so many likeliest ones, 0 to 20.'),
  response_format: responseFormat,
  ...ANSWER,
  ...LOGPROBS_MODE,
  ...CACHE,
  ...WITHOUT_EFFECT,
  ...NO_TOOLS,
  echo: optional(z.literal(false)).describe('Accepted where it changes nothing: false.'),
  ...IGNORED,
});

export type ChatRequest = z.infer<typeof chatRequest>;
export type ChatMessage = z.infer<typeof message>;
