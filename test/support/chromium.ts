/**
 * A real Chromium, driven by its DevTools protocol through a pipe: the one that LLAMA_32K_CHROMIUM
 * names, or one that is installed. Without any, tests that need it say so and are skipped.
 *
 * https://chromedevtools.github.io/devtools-protocol/
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

// biome-ignore lint/suspicious/noExplicitAny: as it comes
export type Json = Record<string, any>;

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const ELSEWHERE = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** @param what is skipped without one */
export function findChromium(what: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = [
    process.env.LLAMA_32K_CHROMIUM ?? '',
    ...NAMES.flatMap(name => folders.map(folder => join(folder, name))),
    ...ELSEWHERE,
  ];
  const found = candidates.find(path => path !== '' && existsSync(path));
  if (found === undefined) {
    console.warn(
      `\n!!! ${what}: NOT tested, there is no Chromium; install one, or name it in ` +
        'LLAMA_32K_CHROMIUM !!!\n',
    );
  }
  return found;
}

const OPTIONS = [
  '--headless=new',
  '--no-sandbox', // it opens nothing but our own page, and root has no sandbox
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--hide-scrollbars',
  '--no-first-run',
  '--remote-debugging-pipe',
];

interface Waiting {
  resolve(result: Json): void;
  reject(error: Error): void;
}

export class Chromium {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: Json) => void>();
  #last = 0;

  static async start(path: string): Promise<Chromium> {
    return new Chromium(path, await mkdtemp(join(tmpdir(), 'llama-32k-chromium-')));
  }

  private constructor(path: string, folder: string) {
    this.#folder = folder;
    this.#process = spawn(path, [...OPTIONS, `--user-data-dir=${folder}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#process.on('error', error => this.#end(error));
    this.#process.on('exit', code => this.#end(new Error(`Chromium ended: ${code}`)));
    this.#listen(this.#process.stdio[4] as Readable);
  }

  /** A page of its own, with storage that no other has. */
  async open(url: string): Promise<Page> {
    const { browserContextId } = await this.send('Target.createBrowserContext', {});
    const target = { url: 'about:blank', browserContextId };
    const { targetId } = await this.send('Target.createTarget', target);
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, sessionId);
    await page.start(url);
    return page;
  }

  send(method: string, params: Json, sessionId?: string): Promise<Json> {
    this.#last += 1;
    const id = this.#last;
    const message = JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) });
    (this.#process.stdio[3] as Writable).write(`${message}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  onEvent(listener: (event: Json) => void): void {
    this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    const ended = new Promise(resolve => this.#process.once('exit', resolve));
    this.#process.kill();
    await ended;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Messages end with a zero. */
  #listen(stream: Readable): void {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop()!;
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  #take(message: Json): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) {
      for (const listener of this.#listeners) listener(message);
      return;
    }
    this.#waiting.delete(message.id);
    if (message.error) waiting.reject(new Error(JSON.stringify(message.error)));
    else waiting.resolve(message.result);
  }

  #end(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** What an assistive technology is told of an element. */
export interface Accessible {
  readonly role: string;
  readonly name: string;
}

export class Page {
  readonly #chromium: Chromium;
  readonly #session: string;
  /** Messages of the console that are errors, and what was thrown and not caught. */
  readonly errors: string[] = [];
  /** Addresses that were asked for. */
  readonly requests: string[] = [];

  constructor(chromium: Chromium, session: string) {
    this.#chromium = chromium;
    this.#session = session;
    chromium.onEvent(event => event.sessionId === session && this.#note(event));
  }

  async start(url: string): Promise<void> {
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility']) {
      await this.send(`${domain}.enable`);
    }
    await this.resize(1280, 800);
    await this.send('Page.navigate', { url });
  }

  send(method: string, params: Json = {}): Promise<Json> {
    return this.#chromium.send(method, params, this.#session);
  }

  resize(width: number, height: number): Promise<Json> {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
    return this.send('Emulation.setDeviceMetricsOverride', metrics);
  }

  /** The value of an expression in the page. */
  async read<T>(expression: string): Promise<T> {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', params);
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  }

  /** What an expression comes to be, when that is not false, null or undefined any more. */
  async until<T>(expression: string, seconds = 60): Promise<T> {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      // Between two documents there is nothing to ask.
      const value = await this.read<T>(expression).catch(() => undefined);
      if (value !== undefined && value !== null && value !== false) return value;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    throw new Error(`after ${seconds} s there still is no ${expression}`);
  }

  /** Moves the pointer to the middle of an element; and presses it there. */
  async point(selector: string, { press = false } = {}): Promise<void> {
    const [x, y] = await this.until<[number, number]>(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element?.scrollIntoView({ block: 'nearest' });
      const box = element?.getClientRects()[0];
      return box && [box.x + box.width / 2, box.y + box.height / 2];
    })()`);
    await this.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
    if (!press) return;
    const button = { x, y, button: 'left', clickCount: 1 };
    await this.send('Input.dispatchMouseEvent', { type: 'mousePressed', ...button });
    await this.send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...button });
  }

  click(selector: string): Promise<void> {
    return this.point(selector, { press: true });
  }

  /** At the focus. */
  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text });
  }

  async press(key: string, modifiers = 0): Promise<void> {
    const text = key === 'Enter' ? { text: '\r' } : {};
    const code = { Enter: 13, Escape: 27, Tab: 9, Home: 36, ArrowLeft: 37, ArrowRight: 39 }[key];
    const common = { key, code: key, windowsVirtualKeyCode: code, modifiers };
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', ...common, ...text });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common });
  }

  /** All that has a role and is not ignored. */
  async accessible(): Promise<Accessible[]> {
    const { nodes } = await this.send('Accessibility.getFullAXTree');
    return nodes
      .filter(({ ignored }: Json) => !ignored)
      .map(({ role, name }: Json) => ({ role: role.value, name: name?.value ?? '' }));
  }

  #note({ method, params }: Json): void {
    if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url);
    if (method === 'Runtime.exceptionThrown') this.errors.push(JSON.stringify(params));
    if (method === 'Log.entryAdded' && params.entry.level === 'error')
      this.errors.push(`${params.entry.text} ${params.entry.url ?? ''}`);
    if (method === 'Runtime.consoleAPICalled' && params.type === 'error')
      this.errors.push(JSON.stringify(params.args));
  }
}
