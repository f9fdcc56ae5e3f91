/** One request to the hub, or to where it redirects to; and what is meant by its refusals. */
import { LlamaError } from '../base/errors.js';
import { Temporary } from './retry.js';
import type { DownloadOptions, Settings } from './settings.js';

export interface Connection
  extends Pick<Settings, 'endpoint' | 'token' | 'revision'>,
    Pick<DownloadOptions, 'signal' | 'onRetry' | 'sleep' | 'fetch'> {
  /** owner/name */
  readonly repo: string;
}

/**
 * The response to a GET, of status 200 or 206. The token goes to the endpoint only: elsewhere it is
 * not added, and `fetch` takes it away when a redirect leads to another origin
 * (fetch.spec.whatwg.org, HTTP-redirect fetch).
 *
 * @param what is asked for, for messages
 * @throws {LlamaError} NOT_FOUND, UNAUTHORIZED or DOWNLOAD_FAILED; the signal's reason; or
 * Temporary.
 */
export async function request(
  connection: Connection,
  url: string,
  what: string,
  given: Record<string, string> = {},
): Promise<Response> {
  const { endpoint, token, signal } = connection;
  const headers = new Headers(given);
  // Compressed bytes would be neither those of the sizes announced nor those to resume at. With a
  // range `fetch` says so itself.
  if (!headers.has('range')) headers.set('accept-encoding', 'identity');
  if (token !== undefined && isSameOrigin(url, endpoint))
    headers.set('authorization', `Bearer ${token}`);
  const send = connection.fetch ?? fetch;
  let response: Response;
  try {
    response = await send(url, { headers, signal: signal ?? null });
  } catch (error) {
    signal?.throwIfAborted();
    throw new Temporary(`cannot reach ${new URL(url).origin} for ${what}: ${causeOf(error)}`, {
      cause: error,
    });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw refusal(connection, response, what);
}

/** `fetch failed` says nothing; its cause does. */
export function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error
    ? cause.message || String((cause as NodeJS.ErrnoException).code)
    : message;
}

const isSameOrigin = (one: string, other: string): boolean =>
  new URL(one).origin === new URL(other).origin;

function refusal(
  { repo, revision, endpoint, token }: Connection,
  response: Response,
  what: string,
): Error {
  const { status, headers, url } = response;
  const code = headers.get('x-error-code');
  const isFromHub = isSameOrigin(url || endpoint, endpoint);
  // Storage refuses links that are too old; the next attempt gets a new one.
  if (status === 408 || status === 429 || status >= 500 || (status === 403 && !isFromHub)) {
    return new Temporary(
      `${what}: HTTP ${status} from ${new URL(url || endpoint).host}`,
      askedWait(headers),
    );
  }
  if (status === 403 || code === 'GatedRepo') {
    return unauthorized(
      `${repo} is given only to those who accepted its licence: do so at ${endpoint}/${repo}, ` +
        'then set HF_TOKEN to a token of the same account',
    );
  }
  if (status === 401) {
    return unauthorized(
      token === undefined
        ? `${endpoint} has no ${repo}, or does not show it to everybody: check the name; if it ` +
            'is right, set HF_TOKEN'
        : `${endpoint} does not accept the token for ${repo}: check HF_TOKEN, and the name`,
    );
  }
  if (status === 404 && code === 'RevisionNotFound')
    return notFound(`${repo} has no revision ${revision}`);
  if (status === 404 && code !== 'EntryNotFound')
    return notFound(`there is no ${what} at ${endpoint}`);
  if (status === 404) return notFound(`${repo} has no ${what} at revision ${revision}`);
  return new LlamaError(
    'DOWNLOAD_FAILED',
    `${what}: HTTP ${status} from ${new URL(url || endpoint).host}`,
  );
}

const unauthorized = (message: string) => new LlamaError('UNAUTHORIZED', message);
const notFound = (message: string) => new LlamaError('NOT_FOUND', message);

/**
 * Retry-After, in seconds or as a date; or `t` of RateLimit (draft-ietf-httpapi-ratelimit-headers),
 * which the hub sends.
 */
function askedWait(headers: Headers): { waitSeconds?: number } {
  const after =
    headers.get('retry-after') ?? /(?:^|;)\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  if (after === undefined) return {};
  const seconds = /^\d+$/.test(after)
    ? Number(after)
    : Math.ceil((Date.parse(after) - Date.now()) / 1000);
  return Number.isNaN(seconds) ? {} : { waitSeconds: Math.max(0, seconds) };
}
