/** What a server answers while its model is loaded: that it is there, and not ready. */
import { ApiError } from './errors/api-error.js';
import { requestIdOf } from './guards/request-id.js';
import { PAGE_PATHS, pageFile } from './playground/page.js';

/** As llama.cpp says it, so that what waits for one waits for the other. */
const HEALTH = { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } };
const HEALTH_PATHS = ['/health', '/v1/health'];

const loading = new ApiError(503, 'loading', 'the model is being loaded; ask again in a while');

/** Answers every request with 503, but for the page, which waits and says so. */
export async function answerLoading(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method === 'GET' && PAGE_PATHS.includes(pathname)) return pageFile(pathname);
  const headers = { 'retry-after': '5', 'x-request-id': requestIdOf(request.headers) };
  const body = HEALTH_PATHS.includes(pathname) ? HEALTH : loading.body;
  return Response.json(body, { status: 503, headers });
}
