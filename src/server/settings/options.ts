/** The options of a server: tables, for programs and for the flags of `serve`. */
import {
  boolean,
  integer,
  listOf,
  number,
  type OptionTable,
  type Range,
} from '../../base/options.js';

/** Whom a server answers, and how much it takes upon itself. */
export interface ServerOptions {
  /** Names that requests may have for the model besides its own. Default none. */
  readonly alias?: readonly string[] | undefined;
  /** Who sends none of them is refused, but for /health, /ready and the page. Default none. */
  readonly apiKey?: readonly string[] | undefined;
  /**
   * Names under which the server is reached, besides addresses and localhost. Others are refused,
   * for a page elsewhere could have made one up (DNS rebinding). Default: any with API keys, which
   * no page knows; none without.
   */
  readonly allowedHost?: readonly string[] | undefined;
  /** Web pages of other origins that may ask, such as `https://chat.example`; `*` is all. */
  readonly corsOrigin?: readonly string[] | undefined;
  /** MiB of a request's body, at most. Default 8. */
  readonly maxBody?: number | undefined;
  /** Texts that wait for their turn, at most; more are refused with 429. Default 512. */
  readonly maxQueue?: number | undefined;
  /** Texts that are computed at the same time, at most. Default 32. */
  readonly maxRunning?: number | undefined;
  /** Seconds until a request is given up. Default: never. */
  readonly requestTimeout?: number | undefined;
  /** Fields that there are not become warnings, and are no errors. Default false. */
  readonly lenient?: boolean | undefined;
  /** Whether texts that repeat what they have are computed several tokens at once. Default true. */
  readonly lookup?: boolean | undefined;
  /** Whether prompts that begin alike share what was read of them. Default true. */
  readonly prefixCache?: boolean | undefined;
}

const texts = (is: string, has: (text: string) => boolean): Range => ({
  kind: 'texts',
  ...listOf(is, item => typeof item === 'string' && has(item)),
});

const isWord = (text: string): boolean => /^\S+$/.test(text);

export const SERVER: OptionTable<ServerOptions> = {
  alias: {
    range: texts('names without spaces', isWord),
    default: [],
    value: 'NAME',
    help: 'Another name for the model in requests; may be given several times, as the next three.',
  },
  apiKey: {
    range: texts('keys without spaces', isWord),
    default: [],
    value: 'KEY',
    help: 'Refuse who does not send it as Authorization: Bearer KEY.',
  },
  allowedHost: {
    range: texts('names of hosts', isWord),
    otherwise: 'without a key none, for a web page can make names up; with one any',
    value: 'NAME',
    help: 'Serve what comes under this name, besides addresses and localhost.',
  },
  corsOrigin: {
    range: texts(
      'origins such as https://chat.example, or *',
      text => text === '*' || /^https?:\/\/[^/\s]+$/.test(text),
    ),
    default: [],
    value: 'ORIGIN',
    help: 'Serve web pages of this origin, such as https://chat.example; * is every page.',
  },
  maxBody: {
    range: number(Number.MIN_VALUE),
    default: 8,
    value: 'MIB',
    help: 'Refuse a request whose body is larger.',
  },
  maxQueue: {
    range: integer(0),
    default: 512,
    value: 'N',
    help: 'Refuse a text if so many wait for their turn.',
  },
  maxRunning: {
    range: integer(1),
    default: 32,
    value: 'N',
    help: 'Compute at most so many texts at the same time.',
  },
  requestTimeout: {
    range: number(Number.MIN_VALUE),
    otherwise: 'never',
    value: 'S',
    help: 'Give a request up after so many seconds.',
  },
  lenient: {
    range: boolean,
    default: false,
    help: 'Fields that are not supported are warnings in the answer, and no errors.',
  },
  lookup: { range: boolean, default: true },
  prefixCache: { range: boolean, default: true },
};

/** Where to listen. */
export interface ListenOptions {
  /** An address or a name of this machine. Default 127.0.0.1, which nobody else can reach. */
  readonly host?: string | undefined;
  /** 0 is one that is free. Default 8080. */
  readonly port?: number | undefined;
}

export const LISTEN: OptionTable<ListenOptions> = {
  host: {
    range: { is: 'an address', has: value => typeof value === 'string' && isWord(value) },
    default: '127.0.0.1',
    value: 'A',
    help:
      'Address to listen on. One that others can reach, such as 0.0.0.0, needs a key, or ' +
      '--insecure.',
  },
  port: {
    range: integer(0, 65535),
    default: 8080,
    value: 'P',
    help: 'Port to listen on; 0 is one that is free, which is printed.',
  },
};
