/** One request to the hub, or to where it redirects to; and what is meant by its refusals. */
import { check, LlamaError } from '../base/errors.js';
import { Temporary } from './retry.js';
import type { DownloadOptions, Settings } from './settings.js';

export interface Connection
  extends Pick<Settings, 'revision'>,
    Pick<DownloadOptions, 'signal' | 'onRetry' | 'sleep' | 'fetch'> {
  /** Without name and password: it is shown in messages. */
  readonly endpoint: string;
  /** Who asks; undefined if nobody in particular. */
  readonly credentials?: Credentials | undefined;
  /** owner/name */
  readonly repo: string;
  /** The hub has answered before: that its name is not found now will pass. */
  readonly isKnown?: boolean;
}

/** What is sent to the endpoint, and nowhere else. */
export interface Credentials {
  /** The value of the header. */
  readonly authorization: string;
  /** For messages, which never have the secret itself: "the token of …". */
  readonly name: string;
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
  const { endpoint, credentials, signal } = connection;
  const headers = new Headers(given);
  // Compressed bytes would be neither those of the sizes announced nor those to resume at. With a
  // range `fetch` says so itself.
  if (!headers.has('range')) headers.set('accept-encoding', 'identity');
  if (credentials !== undefined && isSameOrigin(url, endpoint))
    headers.set('authorization', credentials.authorization);
  check(new URL(url).username === '' && new URL(url).password === '', 'DOWNLOAD_FAILED', () => {
    return `${what} is at an address with a name and a password of somebody else's`;
  });
  const send = connection.fetch ?? fetch;
  let response: Response;
  try {
    response = await send(url, { headers, signal: signal ?? null });
  } catch (error) {
    signal?.throwIfAborted();
    const message = `cannot reach ${new URL(url).origin} for ${what}: ${causeOf(error)}`;
    if (!isPermanent(error, connection.isKnown)) throw new Temporary(message, { cause: error });
    const next = `check ${isSameOrigin(url, endpoint) ? 'HF_ENDPOINT' : 'the network'}`;
    throw new LlamaError('DOWNLOAD_FAILED', `${message}; ${next}`, { cause: error });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw refusal(connection, response, what);
}

/**
 * Whether the same request would fail in the same way: for its address, its certificate, or an
 * answer that is not HTTP. What networks do has other codes, and what `fetch` itself refuses, such
 * as a redirect that leads nowhere, has none (undici, lib/web/fetch).
 */
function isPermanent(error: unknown, isKnown = false): boolean {
  const { cause } = error as Error;
  if (!(cause instanceof Error)) return false;
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND') return !isKnown;
  return code === undefined || PERMANENT.test(code);
}

/** Of the system, of TLS (docs.openssl.org, X509_V_ERR_…), and of the HTTP parser. */
const PERMANENT = new RegExp(
  '^(ENOTFOUND|EPROTO|HPE_|ERR_INVALID_URL|ERR_TLS_CERT|CERT_|DEPTH_ZERO_|SELF_SIGNED_|' +
    'UNABLE_TO_|ERR_SSL_(WRONG_VERSION|.*HANDSHAKE|.*ALERT))',
);

/** `fetch failed` says nothing; its cause does. */
export function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error
    ? cause.message || String((cause as NodeJS.ErrnoException).code)
    : message;
}

const isSameOrigin = (one: string, other: string): boolean =>
  new URL(one).origin === new URL(other).origin;

/** Not implemented, version of HTTP not supported, log in to the network first (RFC 9110, 6585). */
const NEVER_PASSES = [501, 505, 511];

function refusal(
  { repo, revision, endpoint, credentials }: Connection,
  response: Response,
  what: string,
): Error {
  const { status, headers, url } = response;
  const code = headers.get('x-error-code');
  const isFromHub = isSameOrigin(url || endpoint, endpoint);
  const answer = `${what}: HTTP ${status} from ${new URL(url || endpoint).host}`;
  // Storage refuses links that are too old; the next attempt gets a new one. If that is refused,
  // too, age was not the reason.
  if (status === 403 && !isFromHub) return new Temporary(answer, { attempts: 2 });
  const mayPass = status >= 500 && !NEVER_PASSES.includes(status);
  if (status === 408 || status === 429 || mayPass) return new Temporary(answer, askedWait(headers));
  if (status === 403 || code === 'GatedRepo') {
    return unauthorized(
      `${repo} is given only to those who accepted its licence: do so at ${endpoint}/${repo}, ` +
        'then set HF_TOKEN to a token of the same account',
    );
  }
  if (status === 401) {
    return unauthorized(
      credentials === undefined
        ? `${endpoint} has no ${repo}, or does not show it to everybody: check the name; if it ` +
            'is right, set HF_TOKEN'
        : `${endpoint} does not accept ${credentials.name} for ${repo}: check both`,
    );
  }
  if (status === 404 && code === 'RevisionNotFound')
    return notFound(`${repo} has no revision ${revision}`);
  if (status === 404 && code !== 'EntryNotFound')
    return notFound(`there is no ${what} at ${endpoint}`);
  if (status === 404) return notFound(`${repo} has no ${what} at revision ${revision}`);
  return new LlamaError('DOWNLOAD_FAILED', answer);
}

const unauthorized = (message: string) => new LlamaError('UNAUTHORIZED', message);
const notFound = (message: string) => new LlamaError('NOT_FOUND', message);

/**
 * Retry-After, in seconds or as a date; or `t` of RateLimit (draft-ietf-httpapi-ratelimit-headers),
 * which the hub sends.
 */
export function askedWait(headers: Headers): { waitSeconds?: number } {
  const after =
    headers.get('retry-after') ?? /(?:^|;)\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  if (after === undefined) return {};
  const seconds = /^\d+$/.test(after)
    ? Number(after)
    : Math.ceil((Date.parse(after) - Date.now()) / 1000);
  return Number.isNaN(seconds) ? {} : { waitSeconds: Math.max(0, seconds) };
}
