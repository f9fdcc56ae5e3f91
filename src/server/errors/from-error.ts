/** What the library throws, as what a client is told. */
import { LlamaError, type LlamaErrorCode } from '../../base/errors.js';
import { separateWords } from '../../base/text.js';
import { ApiError } from './api-error.js';

/** When it makes sense to ask again, in seconds. */
const RETRY_AFTER: Partial<Readonly<Record<number, string>>> = { 429: '2', 503: '5' };

/** All others are the server's fault, or of its model, and a client can do nothing about them. */
const KNOWN: Partial<Readonly<Record<LlamaErrorCode, readonly [status: number, code: string]>>> = {
  BAD_INPUT: [400, 'invalid_value'],
  BAD_OPTION: [400, 'invalid_value'],
  UNSUPPORTED: [400, 'unsupported_value'],
  CONTEXT_OVERFLOW: [400, 'context_length_exceeded'],
  QUEUE_FULL: [429, 'queue_full'],
  OUT_OF_MEMORY: [503, 'out_of_memory'],
  DISPOSED: [503, 'shutting_down'],
  WORKER_FAILED: [503, 'worker_failed'],
  NOT_FINITE: [500, 'not_finite'],
};

/** The names that the API has for options of the library, where they are not the same words. */
const PARAMS: Readonly<Record<string, string>> = {
  maxNewTokens: 'max_tokens',
};

/** @param requestId by which the log is searched for what the client is not told */
export function toApiError(error: unknown, requestId: string): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof LlamaError) {
    const [status, code] = KNOWN[error.code] ?? [];
    if (status !== undefined && code !== undefined) {
      const { option } = error;
      const param = option && (PARAMS[option] ?? separateWords(option, '_'));
      const retry = RETRY_AFTER[status];
      const headers = retry === undefined ? {} : { 'retry-after': retry };
      return new ApiError(status, code, error.message, { param, headers, cause: error });
    }
  }
  const message = `something went wrong here; the server's log has it as request ${requestId}`;
  return new ApiError(500, 'internal_error', message, { cause: error });
}
