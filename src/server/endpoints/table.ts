/** All that the server answers: routes, OpenAPI and docs/api.md are made of this. */
import { metrics, version } from './about.js';
import { chatCompletions } from './chat-completions.js';
import { completions } from './completions.js';
import type { Endpoint } from './endpoint.js';
import { health, ready, v1Health } from './health.js';
import { models, oneModel } from './models.js';
import { applyTemplate, detokenize, tokenize } from './tokens.js';
import { trace } from './trace.js';

export const ENDPOINTS: readonly Endpoint[] = [
  chatCompletions,
  completions,
  models,
  oneModel,
  tokenize,
  detokenize,
  applyTemplate,
  trace,
  health,
  v1Health,
  ready,
  metrics,
  version,
];
