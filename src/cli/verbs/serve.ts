/** `llama-32k serve`: the model behind an OpenAI-compatible HTTP API. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openChatFormat } from '../../load/chat-format.js';
import { fingerprintOf } from '../../load/fingerprint.js';
import { loadModel } from '../../load/model.js';
import { openDiskCache } from '../../load/prefix-cache/open.js';
import { packageVersion } from '../../load/version.js';
import type { Listening, LlamaServer } from '../../server/index.js';
import type { PageStore } from '../../text/prefix-cache/page-store.js';
import { CHAT_OPTIONS, chatTemplate } from '../arguments/chat.js';
import { ENGINE, engineOptions, modelPath, withLoaded } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import {
  SERVE_OPTIONS,
  type ServeSettings,
  servedName,
  serveSettings,
} from '../arguments/serve.js';
import { ABOUT_EMBEDDED } from '../arguments/suggestions.js';
import { tokenizerForText } from '../arguments/tokenizer.js';
import { Interrupted, type Io, note, write, writeJson } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';

export const serveVerb: Verb = {
  name: 'serve',
  usage: '[options]',
  summary: 'The model behind an OpenAI-compatible HTTP API, and a page to try it on.',
  details: [
    'POST /v1/chat/completions, /v1/completions and what else /openapi.json lists; the ' +
      'page is at /. What a request is answered depends on nothing else that is computed.',
    'It listens where only this machine can reach it. stderr has a line of JSON for each ' +
      'request; what was asked and answered is nowhere.',
    'SIGTERM or Ctrl-C: no new work is taken, and the program ends when what is being written ' +
      'has ended; a second one ends that at once.',
    ABOUT_EMBEDDED,
  ],
  options: [...MODEL, ...SERVE_OPTIONS, ...CHAT_OPTIONS.slice(0, 1), ...ENGINE],
  json: 'Print {url, model, system_fingerprint} when it is ready.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const json = options.flag('json');
  const settings = await serveSettings(options);
  const path = await modelPath(options, io);
  const tokenizer = await tokenizerForText(path, 'generate --tokens takes token ids');
  const format = await openChatFormat({ path, tokenizer }, chatTemplate(options));
  const progress = new Progress(io, json);
  const engine = engineOptions(options, { progress });
  const { answerLoading, createServer, listen } = await import('../../server/index.js');

  let fetch: LlamaServer['fetch'] = async request => answerLoading(request);
  const listening = await listen(request => fetch(request), settings.listen);
  try {
    await withLoaded({ io, json, progress }, loadModel(path, engine, tokenizer), async loaded => {
      const name = servedName(options, path);
      const fingerprint = await fingerprintOf(path, engine);
      const store =
        settings.disk && (await openDiskCache(loaded, settings.disk, text => note(io, text)));
      const server = createServer({
        ...settings.server,
        store,
        model: loaded.model,
        tokenizer,
        format,
        name,
        version: await packageVersion(),
        fingerprint,
        log: io.stderr,
      });
      fetch = server.fetch;
      const { url } = listening;
      if (json) await writeJson(io, { url, model: name, system_fingerprint: fingerprint });
      else await write(io.stdout, `${name} is served at ${url}\n`);
      await serveUntilInterrupted({ server, store, listening }, settings, io);
    });
  } finally {
    listening.closeAtOnce();
  }
}

const FAREWELL_MS = 1000;

/** What is to be ended. */
interface Running {
  readonly server: LlamaServer;
  readonly store: PageStore | undefined;
  readonly listening: Listening;
}

/** Drains at the first signal; at the second one, or when that takes too long, ends all. */
async function serveUntilInterrupted(
  { server, store, listening }: Running,
  { shutdownTimeout }: ServeSettings,
  io: Io,
): Promise<void> {
  const interrupts = interruptsOf(io);
  await interrupts.next();
  const end = new AbortController();
  const drained = server.drain().then(async () => {
    await listening.close(); // until all has got out
    return 'drained' as const;
  });
  const first = await Promise.race([
    drained,
    interrupts.next().then(() => 'interrupted' as const),
    sleep(shutdownTimeout * 1000, 'late' as const, { signal: end.signal }),
  ]);
  end.abort();
  interrupts.off();
  if (first !== 'drained') {
    // Who does not read the end of a stream is not waited for, nor is a disk that is slow.
    await Promise.race([server.close(), sleep(FAREWELL_MS)]);
    await Promise.race([store?.close(), sleep(FAREWELL_MS)]);
    throw new Interrupted(
      first === 'late' ? `not all was written after ${shutdownTimeout} seconds` : 'interrupted',
    );
  }
}

/** Signals, one after the other. */
function interruptsOf(io: Io): { next(): Promise<void>; off(): void } {
  let count = 0;
  let tell = () => {};
  const off = io.onInterrupt(() => {
    count += 1;
    tell();
  });
  const next = async () => {
    if (count === 0) await new Promise<void>(resolve => (tell = resolve));
    count -= 1;
  };
  return { next, off };
}
