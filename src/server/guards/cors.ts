/** What lets pages of `corsOrigins` read the answers. Cookies are never allowed, nor used. */
import type { OriginRules } from './origin.js';

const METHODS = 'GET, POST';
const EXPOSED = 'x-request-id, retry-after';

/** Headers for an answer to a page that may ask, which was found out before. */
export function corsHeaders(
  request: Request,
  { corsOrigins }: Pick<OriginRules, 'corsOrigins'>,
): Record<string, string> {
  const origin = request.headers.get('origin');
  if (corsOrigins.length === 0) return {};
  const isAnyone = corsOrigins.includes('*');
  const vary: Record<string, string> = isAnyone ? {} : { vary: 'Origin' };
  if (origin === null || !(isAnyone || corsOrigins.includes(origin))) return vary;
  return {
    ...vary,
    'access-control-allow-origin': isAnyone ? '*' : origin,
    'access-control-expose-headers': EXPOSED,
  };
}

/** Whether it only asks what it may ask. */
export const isPreflight = ({ method, headers }: Request): boolean =>
  method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method');

/** The answer to that, of `maxAge` seconds. */
export function preflightHeaders(request: Request, maxAge = 600): Record<string, string> {
  const asked = request.headers.get('access-control-request-headers');
  const isLocal = request.headers.get('access-control-request-private-network') === 'true';
  return {
    'access-control-allow-methods': METHODS,
    ...(asked !== null && { 'access-control-allow-headers': asked }),
    ...(isLocal && { 'access-control-allow-private-network': 'true' }),
    'access-control-max-age': String(maxAge),
  };
}
