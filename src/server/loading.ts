/** What a server answers while its model is loaded: that it is there, and not ready. */
import { requestIdOf } from './guards/request-id.js';
import { PAGE_PATHS, pageFile } from './playground/page.js';

/** As llama.cpp says it, so that what waits for one waits for the other. */
const BODY = { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } };

/** Answers every request with 503, but for the page, which waits and says so. */
export async function answerLoading(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method === 'GET' && PAGE_PATHS.includes(pathname)) return pageFile(pathname);
  const headers = { 'retry-after': '5', 'x-request-id': requestIdOf(request.headers) };
  return Response.json(BODY, { status: 503, headers });
}
