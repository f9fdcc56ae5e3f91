/**
 * Where the hub is. A mirror may want a name and a password, which stand in its address: they are
 * sent as Basic authorization in place of the token, as huggingface_hub does, and never shown.
 */
import { check, show } from '../base/errors.js';

export interface Endpoint {
  /** Without a slash at its end, and without name and password. */
  readonly url: string;
  /** The value of the header, if the address has name and password. */
  readonly authorization?: string;
}

/** @throws {LlamaError} BAD_OPTION if `text` is no address of http or https. */
export function parseEndpoint(text: string): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHub = url !== undefined && /^https?:$/.test(url.protocol) && !/[?#]/.test(text);
  check(isHub, 'BAD_OPTION', () => {
    const range = 'a URL, of http or https, without ? and #';
    return `HF_ENDPOINT is ${show(withoutSecrets(text))}; it must be ${range}`;
  });
  const { username, password, origin, pathname } = url;
  const plain = `${origin}${pathname}`.replace(/\/+$/, '');
  if (username === '' && password === '') return { url: plain };
  const credentials = `${decodePercent(username)}:${decodePercent(password)}`;
  const authorization = `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
  return { url: plain, authorization };
}

/** A % that begins no escape is one that nobody escaped. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Name, password and query of an address may be secret, also of one that is none. */
const withoutSecrets = (address: string): string =>
  address.replace(/^([\w+.-]+:\/\/)?.*@/s, '$1…@').replace(/[?#].*$/s, '…');
