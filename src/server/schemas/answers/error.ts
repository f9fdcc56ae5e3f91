/** What whoever is refused is told, and the last event of a stream that fails. */
import { z } from 'zod';
import { ERROR_TYPES } from '../../errors/api-error.js';
import { count } from './text.js';

export const errorAnswer = z.strictObject({
  error: z.strictObject({
    message: z.string().describe('What is wrong, what the limit is, and what to do.'),
    type: z.enum(ERROR_TYPES).describe('By status.'),
    param: z.string().nullable().describe('The field that is at fault, messages[0].content, say.'),
    code: z.string().describe('Stable, for programs.'),
    n_prompt_tokens: count.optional().describe('Of context_length_exceeded: what was sent.'),
    n_ctx: count.optional().describe('Of context_length_exceeded: what there is.'),
    max_bytes: count.optional().describe('Of body_too_large and trace_too_large: the limit.'),
    timeout_seconds: z.number().optional().describe('Of request_timeout: the limit.'),
  }),
});
