/** What a server answers while its model is loaded: that it is there, and not ready. */
import { requestIdOf } from './guards/request-id.js';

/** As llama.cpp says it, so that what waits for one waits for the other. */
const BODY = { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } };

/** Answers every request with 503. */
export const answerLoading = (request: Request): Response =>
  Response.json(BODY, {
    status: 503,
    headers: { 'retry-after': '5', 'x-request-id': requestIdOf(request.headers) },
  });
