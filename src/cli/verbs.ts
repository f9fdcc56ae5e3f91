import type { Verb } from './arguments/options.js';
import { benchVerb } from './verbs/bench.js';
import { cacheVerb } from './verbs/cache.js';
import { chatVerb } from './verbs/chat.js';
import { compareVerb } from './verbs/compare.js';
import { convertVerb } from './verbs/convert.js';
import { estimateVerb } from './verbs/estimate.js';
import { generateVerb } from './verbs/generate.js';
import { inspectVerb } from './verbs/inspect.js';
import { logitsVerb } from './verbs/logits.js';
import { mutantsVerb } from './verbs/mutants.js';
import { perplexityVerb } from './verbs/perplexity.js';
import { quantizeVerb } from './verbs/quantize.js';
import { serveVerb } from './verbs/serve.js';
import { detokenizeVerb, tokenizeVerb } from './verbs/tokenize.js';
import { vectorsVerb } from './verbs/vectors.js';

/** Every verb, in the order in which they are listed. */
export const VERBS: readonly Verb[] = [
  generateVerb,
  chatVerb,
  serveVerb,
  cacheVerb,
  logitsVerb,
  perplexityVerb,
  tokenizeVerb,
  detokenizeVerb,
  inspectVerb,
  convertVerb,
  quantizeVerb,
  estimateVerb,
  benchVerb,
  compareVerb,
  vectorsVerb,
  mutantsVerb,
];
