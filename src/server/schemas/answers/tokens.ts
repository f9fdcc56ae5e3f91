/** What the endpoints answer that compute nothing. */
import { z } from 'zod';
import { count, tokenIds, warnings } from './text.js';

export const tokenized = z.strictObject({
  tokens: z
    .union([tokenIds, z.array(z.strictObject({ id: count, piece: z.string() }))])
    .describe('Token ids; with with_pieces objects of id and piece.'),
  token_strs: z.array(z.string()).optional().describe('With return_token_strs.'),
  count: count.describe('How many tokens there are.'),
  max_model_len: count.describe('How many the context has.'),
  warnings,
});

export const detokenized = z.strictObject({
  content: z.string().describe('The text.'),
  prompt: z.string().describe('The same, as vLLM calls it.'),
  warnings,
});

export const templateApplied = z.strictObject({
  prompt: z.string().describe('A text for which /v1/completions computes these tokens.'),
  tokens: tokenIds.describe('What the model reads.'),
  warnings,
});
