/**
 * From a request to its answer: who asks, what there is, what is wrong with it; then the endpoint.
 * Whatever goes wrong is JSON in OpenAI's form, and has the request's id.
 */
import { type Context, Hono } from 'hono';
import { show } from '../base/errors.js';
import type { Endpoint, Services } from './endpoints/endpoint.js';
import { openApi } from './endpoints/openapi.js';
import { ENDPOINTS } from './endpoints/table.js';
import { ApiError } from './errors/api-error.js';
import { toApiError } from './errors/from-error.js';
import { ApiKeys } from './guards/api-key.js';
import { readJsonBody } from './guards/body.js';
import { corsHeaders, isPreflight, preflightHeaders } from './guards/cors.js';
import { checkOrigin, type OriginRules } from './guards/origin.js';
import { requestIdOf } from './guards/request-id.js';
import { Call } from './observe/call.js';
import type { Logger } from './observe/log.js';
import { PAGE_PATHS, pageFile } from './playground/page.js';
import { validate, validateLeniently } from './schemas/validate.js';

/** Who may ask, and how much. */
export interface Rules extends OriginRules {
  readonly apiKeys: readonly string[];
  readonly maxBodyBytes: number;
  readonly requestTimeout: number | undefined;
  readonly lenient: boolean;
}

type Env = { Variables: { call: Call } };

/** Why there is no such route, where people look for one. */
const ABSENT: Readonly<Record<string, string>> = {
  '/v1/embeddings': 'this model writes text; it has no embeddings that mean anything alone',
  '/v1/rerank': 'this model writes text; it was not trained to rank',
  '/v1/moderations': 'there is no moderation here',
  '/v1/responses': 'use /v1/chat/completions, which every client speaks',
  '/v1/messages': 'use /v1/chat/completions, which every client speaks',
};

/** Of endpoints that are no part of the API, and of its description. */
const UNLISTED = { method: 'GET', summary: '', answers: {} } as const;

/** A hono app: `fetch` needs no socket. */
export function createApp(services: Services, rules: Rules, log: Logger): Hono<Env> {
  const app = new Hono<Env>();
  const keys = new ApiKeys(rules.apiKeys);
  app.use(async (context, next) => {
    const request = context.req.raw;
    const call = new Call(requestIdOf(request.headers), request, log, services.metrics);
    context.set('call', call);
    await next();
    finish(context, call, rules);
  });
  app.onError((error, context) => refuse(error, context.get('call')));
  app.notFound(context => refuse(notFound(context.req.path), context.get('call')));
  app.use(async (context, next) => {
    checkOrigin(context.req.raw, rules);
    if (!isPreflight(context.req.raw)) return next();
    return new Response(null, { status: 204, headers: preflightHeaders(context.req.raw) });
  });

  const route = ({ method, path, ...entry }: Endpoint) => {
    app.on(method, path, async context => {
      if (!entry.isPublic) keys.check(context.req.raw.headers);
      if (services.isDraining() && !entry.isWhileDraining) throw draining();
      return handle({ method, path, ...entry }, context, services, rules);
    });
  };
  const description = openApi(ENDPOINTS, services.version);
  const endpoints: Endpoint[] = [
    ...ENDPOINTS,
    { ...UNLISTED, path: '/openapi.json', handle: () => Response.json(description) },
    ...PAGE_PATHS.map(path => ({
      ...{ ...UNLISTED, path, isPublic: true },
      handle: () => pageFile(path),
    })),
  ];
  endpoints.forEach(route);
  app.use(async (context, next) => {
    keys.check(context.req.raw.headers);
    await next();
  });
  for (const { path } of endpoints)
    app.all(path, context => refuseMethod(context, endpoints, path));
  return app;
}

async function handle(
  { body: schema, handle }: Endpoint,
  context: Context<Env>,
  services: Services,
  { lenient, maxBodyBytes, requestTimeout }: Rules,
): Promise<Response> {
  const call = context.get('call');
  if (requestTimeout !== undefined) call.endAfter(requestTimeout);
  const given = schema && (await readJsonBody(context.req.raw, maxBodyBytes));
  const { data, warnings } =
    schema === undefined
      ? { data: undefined, warnings: [] }
      : lenient
        ? validateLeniently(schema, given)
        : { data: validate(schema, given), warnings: [] };
  return handle({ body: data, warnings, params: context.req.param(), call }, services);
}

/** What every answer has; a stream is written down when it ends. */
function finish(context: Context<Env>, call: Call, rules: Rules): void {
  const { res, req } = context;
  const headers = { 'x-request-id': call.id, ...corsHeaders(req.raw, rules) };
  for (const [name, value] of Object.entries(headers)) res.headers.set(name, value);
  const isStream = res.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  if (!isStream) call.end(res.status);
}

function refuse(error: unknown, call: Call): Response {
  const told = toApiError(error, call.id);
  call.fail(told);
  return Response.json(told.body, { status: told.status, headers: told.headers });
}

const draining = () =>
  new ApiError(503, 'shutting_down', 'the server is shutting down and takes no new work', {
    headers: { 'retry-after': '5' },
  });

function notFound(path: string): ApiError {
  const why = ABSENT[path] ?? 'see /openapi.json for what there is';
  return new ApiError(404, 'route_not_found', `there is no ${show(path)} here: ${why}`);
}

function refuseMethod(
  context: Context<Env>,
  endpoints: readonly Endpoint[],
  path: string,
): Response {
  const methods = endpoints.filter(each => each.path === path).map(({ method }) => method);
  const allow = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  const message = `${path} is for ${methods.join(' and ')}, and not for ${context.req.method}`;
  throw new ApiError(405, 'method_not_allowed', message, { headers: { allow: allow.join(', ') } });
}
