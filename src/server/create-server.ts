/**
 * A server of one model, without a socket: a request goes in, its answer comes out.
 *
 *     await using loaded = await loadModel();
 *     const server = createServer({ ...loaded, name: 'tiny-32k' });
 *     const answer = await server.fetch(new Request('http://localhost/v1/models'));
 *
 * `listen.ts` puts it behind a port of Node; any runtime that speaks `fetch` can do the same.
 */
import { checkValues } from '../base/options.js';
import type { Llama } from '../model/llama.js';
import { PAGE_POSITIONS } from '../model/sequence.js';
import { type ChatFormat, cardFormat } from '../text/chat/format.js';
import type { PageStore } from '../text/prefix-cache/page-store.js';
import { PrefixCache } from '../text/prefix-cache/prefix-cache.js';
import { createScheduler } from '../text/scheduler/scheduler.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { createApp } from './app.js';
import { createLog } from './observe/log.js';
import { Metrics } from './observe/metrics.js';
import { SERVER, type ServerOptions } from './settings/options.js';
import { Constraints } from './texts/constraints.js';
import { arithmeticOf, type Served } from './texts/served.js';

/** What is served, and how. */
export interface ServerSettings extends ServerOptions {
  readonly model: Llama;
  readonly tokenizer: Tokenizer;
  /** How conversations are written. Default: the format of the model card. */
  readonly format?: ChatFormat | undefined;
  /** The id of the model. Default "llama-32k". */
  readonly name?: string | undefined;
  /** Of the package. Default "0". */
  readonly version?: string | undefined;
  /** Of weights, tokenizer and arithmetic: `system_fingerprint`. */
  readonly fingerprint?: string | undefined;
  /**
   * Where what was read of prompts is kept beside memory: `openDiskCache`. Default: nowhere. It has
   * no use without `prefixCache`.
   */
  readonly store?: PageStore | undefined;
  /** Where a line of JSON goes for every request. Default: nowhere. */
  readonly log?: { write(line: string): void } | undefined;
}

/** A server without a socket. */
export interface LlamaServer {
  /** The answer to a request; it never rejects. */
  fetch(request: Request): Promise<Response>;
  /**
   * From now on new work is refused with 503; resolves when what is being written has ended, and
   * `store` has what it was given.
   */
  drain(): Promise<void>;
  /** Ends what is being written. The model is the caller's, and stays open. */
  close(): Promise<void>;
}

const BYTES_PER_MIB = 2 ** 20;

/** @throws {LlamaError} BAD_OPTION */
export function createServer(settings: ServerSettings): LlamaServer {
  const options = checkValues<ServerOptions>(settings, SERVER);
  const {
    model,
    tokenizer,
    name = 'llama-32k',
    version = '0',
    fingerprint = 'fp_unknown',
  } = settings;
  const { maxRunning, maxQueue, lookup } = options;
  // As much as one text can have: exact kernels have no limit of their own.
  const maxPages = Math.ceil(model.config.maxPositionEmbeddings / PAGE_POSITIONS);
  const prefixCache = options.prefixCache
    ? new PrefixCache(model, { maxPages, store: settings.store })
    : undefined;
  const limits = { maxRunning, maxQueue, lookup, prefixCache };
  const texts = createScheduler(model, tokenizer, limits);
  const served: Served = {
    id: name,
    aliases: options.alias!,
    model,
    tokenizer,
    format: settings.format ?? cardFormat(tokenizer),
    fingerprint,
    created: Math.floor(Date.now() / 1000),
    scheduler: texts,
    mostTexts: maxRunning! + maxQueue!,
    prefixCache,
    constraints: new Constraints(tokenizer),
  };
  const build = { model: name, version, weights: fingerprint, ...arithmeticOf(model) };
  const metrics = new Metrics(build, {
    running: () => texts.running,
    waiting: () => texts.waiting,
    queriedTokens: () => prefixCache?.stats().queriedTokens ?? 0,
    reusedTokens: () => prefixCache?.stats().reusedTokens ?? 0,
    pages: model.engine.pages,
  });
  let isDraining = false;
  const apiKeys = options.apiKey!;
  const app = createApp(
    { served, metrics, version, isDraining: () => isDraining },
    {
      apiKeys,
      allowedHosts: options.allowedHost ?? (apiKeys.length > 0 ? undefined : []),
      corsOrigins: options.corsOrigin!,
      maxBodyBytes: Math.floor(options.maxBody! * BYTES_PER_MIB),
      requestTimeout: options.requestTimeout,
      lenient: options.lenient!,
    },
    createLog(settings.log),
  );
  const drain = async () => {
    isDraining = true;
    await texts.drain();
    await prefixCache?.flush();
  };
  return {
    fetch: async request => app.fetch(request),
    drain,
    async close() {
      texts.close();
      await drain();
      prefixCache?.clear();
    },
  };
}
