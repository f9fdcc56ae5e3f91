/**
 * What a request is refused with: a status, and the body that OpenAI's clients know how to read.
 *
 *     {"error": {"message": "…", "type": "invalid_request_error", "param": "prompt", "code": "…"}}
 */

export const ERROR_TYPES = [
  'invalid_request_error',
  'authentication_error',
  'permission_error',
  'not_found_error',
  'rate_limit_error',
  'unavailable_error',
  'server_error',
] as const;

export type ErrorType = (typeof ERROR_TYPES)[number];

const TYPE_OF: Readonly<Record<number, ErrorType>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'unavailable_error',
  504: 'server_error',
};

export interface ApiErrorDetails {
  /** The field of the request that is at fault, such as `messages[0].content`. */
  readonly param?: string | undefined;
  /** What the answer has besides, such as `allow` and `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the error has besides, such as `n_ctx`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Stable, for programs. */
  readonly code: string;
  readonly param: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly #extra: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, message: string, details: ApiErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.status = status;
    this.code = code;
    this.param = details.param;
    this.headers = details.headers ?? {};
    this.#extra = details.extra ?? {};
  }

  /** The body of the answer, and of the event that ends a stream. */
  get body() {
    return {
      error: {
        message: this.message,
        type: TYPE_OF[this.status] ?? 'invalid_request_error',
        param: this.param ?? null,
        code: this.code,
        ...this.#extra,
      },
    };
  }
}
