/**
 * llama.cpp compiled to WebAssembly (wllama), in a headless Chromium.
 *
 * The page gets the GGUF as a file of the disk, of which wllama reads pieces: no ArrayBuffer has to
 * hold all of it, and no shards are needed. What remains is the WebAssembly memory, in which wllama
 * keeps everything: 4 GiB.
 */
import { access, readFile, stat } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { serveIsolated } from './isolated-server.js';
import { serve } from './side.js';

const ESM = new URL('./', import.meta.resolve('@wllama/wllama'));
const ARGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const LARGEST_FILE = 3.5 * 2 ** 30;

/**
 * wllama takes text only. In the made-up vocabulary a letter is one token, after a start-of-text
 * and the three bytes of the first space.
 */
const TOKENS_BEFORE = 4;
/**
 * Single bytes from 0x80 on are never to be generated: they are not UTF-8, on which wllama ends.
 */
const NEVER = Array.from({ length: 128 }, (_, i) => [3 + 128 + i, false]);
const letters = count =>
  Array.from({ length: count }, (_, i) => String.fromCharCode(97 + ((i * 7) % 26))).join('');

await serve(async ({ gguf, threads, size, chromium: executablePath }) => {
  await access(executablePath).catch(() => {
    refuse(
      `there is no Chromium at ${executablePath}; install it (Debian: apt-get install ` +
        'chromium), or say --chromium',
    );
  });
  const { size: fileBytes } = await stat(gguf);
  if (fileBytes > LARGEST_FILE)
    refuse(`${gguf} has ${fileBytes} bytes; its memory is 4 GiB, for weights and all else`);

  const server = await serveIsolated(ESM, '<link rel="icon" href="data:,"><input type="file">');
  const browser = await chromium.launch({ executablePath, args: ARGS });
  const page = await browser.newPage();
  page.on(
    'console',
    message => message.type() === 'error' && console.error(`wllama: ${message.text()}`),
  );
  await page.goto(server.url);
  await page.setInputFiles('input', gguf);
  const { release, used } = await page.evaluate(loadInPage, { threads, size });
  if (used !== threads) refuse(`it uses ${used} threads, not ${threads}`);

  let tokens = 0;
  /** `newTokens` of the prompt are to be computed, the others remembered. */
  const complete = async (newTokens, generated) => {
    const request = {
      prompt: letters(tokens + newTokens - TOKENS_BEFORE),
      max_tokens: generated,
      cache_prompt: tokens > 0,
      temperature: 0,
      ignore_eos: true,
      logit_bias: NEVER,
    };
    const { prompt_n, predicted_n } = await page.evaluate(completeInPage, request);
    if (prompt_n !== newTokens || predicted_n !== generated) {
      throw new Error(
        `wllama computed ${prompt_n} + ${predicted_n} tokens, not ${newTokens} + ${generated}`,
      );
    }
    tokens += newTokens;
  };
  const { version } = JSON.parse(await readFile(new URL('../package.json', ESM), 'utf8'));
  return {
    about:
      `wllama ${version}: llama.cpp ${release} in Chromium ${browser.version()}, ` +
      `${used} threads`,
    truncate(length) {
      tokens = length;
    },
    prefill: count => complete(count, 1),
    decode: (_, count) => complete(1, count),
    peakBytes: () => peakOfRenderers(browser),
    async close() {
      await browser.close();
      server.close();
    },
  };
});

/** Runs in the page. */
async function loadInPage({ threads, size }) {
  const { Wllama, LoggerWithoutDebug } = await import('/index.js');
  const logger = { ...LoggerWithoutDebug, log() {}, warn() {} };
  const wllama = new Wllama({ default: '/wasm/wllama.wasm' }, { logger });
  globalThis.wllama = wllama;
  const options = { n_threads: threads, n_ctx: size, n_batch: 512, n_parallel: 1, n_gpu_layers: 0 };
  await wllama.loadModel([...document.querySelector('input').files], options);
  return { release: Wllama.getLibllamaVersion(), used: wllama.getNumThreads() };
}

/** Runs in the page. */
async function completeInPage(request) {
  const { timings } = await globalThis.wllama.createCompletion(request);
  return timings;
}

/** The largest resident set so far of the process with the page in it; Linux only. */
async function peakOfRenderers(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const renderers = processInfo.filter(({ type }) => type === 'renderer');
  const peaks = renderers.map(async ({ id }) => {
    const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
    return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]) * 1024;
  });
  return Math.max(...(await Promise.all(peaks)));
}

function refuse(why) {
  console.error(`wllama: ${why}`);
  process.exit(1);
}
