/** Whether the server is there, and whether it takes new work. */
import { endpoint } from './endpoint.js';

const summary = 'Whether the server lives: 200, also while it drains. Needs no key.';
const alive = () => Response.json({ status: 'ok' });

export const health = endpoint({
  method: 'GET',
  path: '/health',
  summary,
  isPublic: true,
  isWhileDraining: true,
  handle: alive,
});

export const v1Health = endpoint({
  method: 'GET',
  path: '/v1/health',
  summary,
  isPublic: true,
  isWhileDraining: true,
  handle: alive,
});

/** While draining it is refused as everything else is. */
export const ready = endpoint({
  method: 'GET',
  path: '/ready',
  summary: 'Whether new work is taken: 503 while loading and while draining. Needs no key.',
  isPublic: true,
  handle: () => Response.json({ status: 'ready' }),
});
