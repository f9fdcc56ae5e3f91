import { z } from 'zod';
import { model, optional, tokenIds } from './common.js';

/** POST /v1/trace */
export const traceRequest = z.strictObject({
  model,
  tokens: tokenIds.describe('Token ids, as they are; no BOS is put in front.'),
  names: optional(z.array(z.string().min(1)).min(1)).describe(
    'Which tensors, by the names of Hugging Face’s modules; * stands for any text. Default: ' +
      'lm_head, the logits.',
  ),
  positions: optional(z.array(z.int()).min(1)).describe(
    'After which tokens model.norm and lm_head are wanted, counted from 0, or from -1 at the ' +
      'end. Default: all.',
  ),
});

export type TraceRequest = z.infer<typeof traceRequest>;
