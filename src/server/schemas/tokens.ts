import { z } from 'zod';
import { messages } from './chat.js';
import { model, optional, tokenId } from './common.js';

const flag = optional(z.boolean());

/** POST /tokenize: `content` as for llama.cpp, `prompt` or `messages` as for vLLM. */
export const tokenizeRequest = z
  .strictObject({
    model,
    content: optional(z.string()).describe('A text, as llama.cpp calls it.'),
    prompt: optional(z.string()).describe('A text, as vLLM calls it.'),
    messages: optional(messages).describe('A conversation, as /v1/chat/completions reads it.'),
    add_special: flag.describe('With content: whether BOS is put in front. Default false.'),
    add_special_tokens: flag.describe('With prompt: the same. Default true.'),
    parse_special: flag.describe(
      'Whether special tokens that the text spells out become their ids. Default true.',
    ),
    with_pieces: flag.describe('Tokens as {id, piece}, with content.'),
    return_token_strs: flag.describe('The pieces in token_strs, besides.'),
  })
  .refine(
    body => [body.content, body.prompt, body.messages].filter(given => given != null).length === 1,
    { error: 'must have one of content, prompt and messages' },
  );

/** POST /detokenize */
export const detokenizeRequest = z.strictObject({
  model,
  tokens: z.array(tokenId).describe('Token ids.'),
});

/** POST /apply-template */
export const applyTemplateRequest = z.strictObject({ model, messages });

export type TokenizeRequest = z.infer<typeof tokenizeRequest>;
export type DetokenizeRequest = z.infer<typeof detokenizeRequest>;
export type ApplyTemplateRequest = z.infer<typeof applyTemplateRequest>;
