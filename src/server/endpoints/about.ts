/** What runs here, and how it is doing. */
import { z } from 'zod';
import { versionAnswer } from '../schemas/answers/about.js';
import { endpoint } from './endpoint.js';

export const version = endpoint({
  method: 'GET',
  path: '/version',
  summary:
    'The version, the model, its arithmetic and the fingerprint of all that decides answers.',
  answers: { 'application/json': versionAnswer },
  handle: (_, { served, version }) =>
    Response.json({
      version,
      model: served.id,
      kernels: served.model.engine.name,
      system_fingerprint: served.fingerprint,
    }),
});

export const metrics = endpoint({
  method: 'GET',
  path: '/metrics',
  summary: 'Numbers for Prometheus; docs/serving.md lists them.',
  answers: { 'text/plain': z.string() },
  isWhileDraining: true,
  handle: async (_, { metrics }) =>
    new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } }),
});
