import { benchVerb } from './bench.js';
import { chatVerb } from './chat.js';
import { convertVerb } from './convert.js';
import { estimateVerb } from './estimate.js';
import { generateVerb } from './generate.js';
import { inspectVerb } from './inspect.js';
import { logitsVerb } from './logits.js';
import type { Verb } from './options.js';
import { quantizeVerb } from './quantize.js';
import { detokenizeVerb, tokenizeVerb } from './tokenize.js';

/** Every verb, in the order in which they are listed. */
export const VERBS: readonly Verb[] = [
  generateVerb,
  chatVerb,
  logitsVerb,
  tokenizeVerb,
  detokenizeVerb,
  inspectVerb,
  convertVerb,
  quantizeVerb,
  estimateVerb,
  benchVerb,
];
