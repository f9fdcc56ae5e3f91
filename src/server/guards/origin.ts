/**
 * That no page of another site uses this server through the browser of somebody who can reach it.
 *
 * - **DNS rebinding**: the page's own name comes to stand for 127.0.0.1, so that browser and server
 *   take each other for the same site (CVE-2024-28224 of Ollama). The Host header still has the
 *   name: only addresses, localhost, and names that were allowed, are served.
 * - **Cross-site requests**: a browser says in Origin whose page it is that asks. Only this
 *   server's own and those of `corsOrigins` are served, whatever is asked for; `null` is nobody's.
 *   Simple requests, which need no leave, are thereby refused, too.
 * - Reads without Origin, as of `<img>`: Sec-Fetch-Site says that they come from elsewhere. A link
 *   that somebody follows is none of these.
 */
import { isIP } from 'node:net';
import { show } from '../../base/errors.js';
import { ApiError } from '../errors/api-error.js';

export interface OriginRules {
  /** Names besides addresses and localhost; undefined allows any. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Such as `https://chat.example`; `*` is every page. */
  readonly corsOrigins: readonly string[];
}

/** @throws {ApiError} 403 */
export function checkOrigin(request: Request, rules: OriginRules): void {
  const target = new URL(request.url).host;
  const host = request.headers.get('host') ?? target;
  // A target with a name of its own, as for a proxy, takes precedence over Host (RFC 9112, 3.2.2).
  for (const name of [host, target]) checkHost(name, rules.allowedHosts);
  const origin = request.headers.get('origin');
  if (origin !== null) {
    if (allowsOrigin(origin, host, rules)) return;
    throw foreign(`Origin is ${show(origin)}, a page of another site`);
  }
  const site = request.headers.get('sec-fetch-site') ?? 'none';
  const isLink = request.headers.get('sec-fetch-dest') === 'document' && request.method === 'GET';
  if (site === 'none' || site === 'same-origin' || isLink) return;
  throw foreign(`Sec-Fetch-Site is ${show(site)}: a page of another site asks`);
}

const foreign = (what: string) =>
  new ApiError(403, 'origin_not_allowed', `${what}; --cors-origin ORIGIN allows one to ask`);

function checkHost(host: string, allowed: readonly string[] | undefined): void {
  if (allowed === undefined) return;
  const name = nameIn(host);
  if (name === 'localhost' || isAddress(name) || allowed.includes(name)) return;
  throw new ApiError(
    403,
    'host_not_allowed',
    `Host is ${show(host)}, a name that this server does not know for its own; use an address ` +
      'or localhost, or allow the name with --allowed-host',
  );
}

/** Without the port, and without the dot at the end that browsers keep. */
const nameIn = (host: string): string => host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');

const isAddress = (name: string): boolean =>
  isIP(name.startsWith('[') ? name.slice(1, -1) : name) !== 0;

/** Whether it is this server's own, whatever the scheme: a proxy may have added TLS. */
export function allowsOrigin(
  origin: string,
  host: string,
  { corsOrigins }: Pick<OriginRules, 'corsOrigins'>,
): boolean {
  if (corsOrigins.includes('*') || corsOrigins.includes(origin)) return true;
  return /^https?:\/\//.test(origin) && origin.replace(/^https?:\/\//, '') === host.toLowerCase();
}
