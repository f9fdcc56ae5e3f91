/** What there is to know of the server and its model. */
import { z } from 'zod';
import { count } from './text.js';

export const modelEntry = z.strictObject({
  id: z.string().describe('By which requests may call it.'),
  object: z.literal('model'),
  created: count.describe('When this server was started, in seconds since 1970.'),
  owned_by: z.literal('llama-32k'),
  meta: z
    .strictObject({
      n_vocab: count.describe('Tokens of the vocabulary.'),
      n_ctx: count.describe('Tokens of the context.'),
      n_ctx_train: count
        .optional()
        .describe('The same, as its files have it; left out where --context is more.'),
      n_embd: count.describe('Numbers of a position.'),
      n_layer: count.describe('Layers.'),
      n_params: count.describe('Numbers of all weights.'),
      size: count.describe('Bytes of all weights, as its files have them.'),
    })
    .describe('As llama.cpp has it.'),
});

export const modelList = z.strictObject({
  object: z.literal('list'),
  data: z.array(modelEntry),
});

export const alive = z.strictObject({ status: z.literal('ok') });
export const isReady = z.strictObject({ status: z.literal('ready') });

export const versionAnswer = z.strictObject({
  version: z.string().describe('Of the package.'),
  model: z.string().describe('The id of the model.'),
  kernels: z.string().describe('What computes it, and in which arithmetic: wasm-bf16, say.'),
  system_fingerprint: z
    .string()
    .describe('Of weights, tokenizer, arithmetic and version: the same gives the same answers.'),
});
