/** Whether the server is there, and whether it takes new work. */
import { alive, isReady } from '../schemas/answers/about.js';
import { endpoint } from './endpoint.js';

const summary = 'Whether the server lives: 200, also while it drains. Needs no key.';
const answers = { 'application/json': alive };
const handle = () => Response.json({ status: 'ok' });

export const health = endpoint({
  method: 'GET',
  path: '/health',
  summary,
  answers,
  isPublic: true,
  isWhileDraining: true,
  handle,
});

export const v1Health = endpoint({
  method: 'GET',
  path: '/v1/health',
  summary,
  answers,
  isPublic: true,
  isWhileDraining: true,
  handle,
});

/** While draining it is refused as everything else is. */
export const ready = endpoint({
  method: 'GET',
  path: '/ready',
  summary: 'Whether new work is taken: 503 while loading and while draining. Needs no key.',
  answers: { 'application/json': isReady },
  isPublic: true,
  handle: () => Response.json({ status: 'ready' }),
});
