import { z } from 'zod';
import {
  ANSWER,
  CACHE,
  CHAT_ONLY,
  IGNORED,
  LOGPROBS_MODE,
  maxTokens,
  model,
  nothing,
  OUTPUT,
  optional,
  SAMPLING,
  STREAMED_ECHO,
  topLogprobs,
  WITHOUT_EFFECT,
} from './common.js';
import { responseFormat } from './response-format.js';

const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });

/** Several parts are joined by newlines. */
const content = z.union([z.string(), z.array(textPart).min(1)], {
  error: 'must be a text, or a list of parts {"type": "text", "text"}: there is only text here',
});

/** Who speaks: no model is told, and the answer says so. */
const name = optional(z.string());

/** An answer may be sent back as it came: what it has besides is empty. */
const message = z.discriminatedUnion(
  'role',
  [
    z.strictObject({ role: z.enum(['system', 'developer', 'user']), content, name }),
    z.strictObject({
      role: z.literal('assistant'),
      content,
      name,
      refusal: optional(z.null()),
      reasoning: optional(z.null()),
      reasoning_content: optional(z.null()),
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
      "parts. The model's chat template says which order of roles there may be. A name says " +
      'who speaks: the model is not told, which warnings of the answer say.',
  );

const fields = z.strictObject({
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
  echo: optional(z.boolean()).describe(
    'The prompt as the model reads it, too, as Together has it: prompt [{text, logprobs}]; with ' +
      'logprobs those of its tokens, the first of which is null.',
  ),
  response_format: responseFormat,
  ...ANSWER,
  ...LOGPROBS_MODE,
  ...CACHE,
  ...WITHOUT_EFFECT,
  ...CHAT_ONLY,
  ...IGNORED,
});

/** POST /v1/chat/completions */
export const chatRequest = fields.refine(
  ({ stream, echo, logprobs }) => !(stream && echo && asksForLogprobs(logprobs)),
  { path: ['stream'], error: STREAMED_ECHO },
);

/** A number is how Together asks, 0 too. */
export const asksForLogprobs = (logprobs: boolean | number | null | undefined): boolean =>
  logprobs === true || typeof logprobs === 'number';

export type ChatRequest = z.infer<typeof chatRequest>;
export type ChatMessage = z.infer<typeof message>;
