/**
 * The playground as somebody uses it: in a real Chromium, with pointer and keys, on the embedded
 * model. What that answers is asked of the API, and nowhere written down.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answerLoading } from '../../../src/server/index.js';
import { type Listening, listen } from '../../../src/server/listen.js';
import { Chromium, findChromium, type Page } from '../../support/chromium.js';
import { Client, loaded, serverWith } from '../support.js';

const path = findChromium('the playground in a browser');
const QUESTION = 'Which of these is an animal: bells, hare, flute?';

/** A stream stops after an event that has this, until a test lets it go on. */
let stopsAt: RegExp | undefined;
let goOn = () => {};
const letGoOn = () => {
  stopsAt = undefined;
  goOn();
};
const TWO_TOKENS = /(?:"content":"[^"].*){2}/s;
const server = serverWith();
const client = new Client(server);
let listening: Listening;
let chromium: Chromium;
let page: Page;

const held = () => {
  let written = '';
  return new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      controller.enqueue(chunk);
      written += new TextDecoder().decode(chunk);
      if (stopsAt?.test(written)) await new Promise<void>(resolve => (goOn = resolve));
    },
  });
};

async function answerHeld(request: Request): Promise<Response> {
  const response = await server.fetch(request);
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  return isStream ? new Response(response.body!.pipeThrough(held()), response) : response;
}

const TEXT = `[...document.querySelectorAll('.answer-text')].at(-1)?.textContent`;
const IS_DONE = `document.getElementById('stop').hidden`;
const TOKENS = `document.querySelectorAll('.token').length`;
const ENDED = `[...document.querySelectorAll('.about')].filter(end => end.textContent).length`;
const DRAFT = `document.getElementById('draft').value`;
const isSaid = (text: string) =>
  `document.getElementById('announcements').textContent.includes(${JSON.stringify(text)})`;

async function open(url = listening.url): Promise<void> {
  page = await chromium.open(url);
}

async function openReady(): Promise<void> {
  await open();
  await page.until(`document.querySelector('.example')`);
}

/**
 * Writes a message, sends it and waits for the end of the answer: for one more that has ended,
 * because an answer may begin and end between two looks.
 */
async function ask(text: string): Promise<string> {
  const before = await page.read<number>(ENDED);
  await page.click('#draft');
  await page.type(text);
  await page.press('Enter');
  await page.until(`${IS_DONE} && ${ENDED} > ${before}`);
  return page.read(TEXT);
}

async function set(field: string, value: string): Promise<void> {
  await page.click(`#${field}`);
  await page.read(`document.activeElement.select()`);
  await page.type(value);
}

const drop = (name: string, text: string) =>
  page.read(`(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([${JSON.stringify(text)}], ${JSON.stringify(name)}));
    const init = { dataTransfer, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent('dragover', init));
    document.body.dispatchEvent(new DragEvent('drop', init));
  })()`);

describe.skipIf(path === undefined)('the playground in Chromium', () => {
  beforeAll(async () => {
    listening = await listen(answerHeld, { port: 0 });
    chromium = await Chromium.start(path!);
  }, 120_000);
  afterAll(async () => {
    await chromium?.close();
    listening?.closeAtOnce();
    await server.close();
    await loaded.close();
  });
  afterEach(() => {
    letGoOn();
    const { origin } = new URL(listening.url);
    expect(page.requests.filter(url => new URL(url).origin !== origin)).toEqual([]);
  });

  it('tells which model answers, as the server does, without an error in the console', async () => {
    await openReady();
    const { data } = (await (await client.get('/v1/models')).json()) as { data: [{ id: string }] };
    expect(await page.read(`document.getElementById('model').textContent`)).toBe(
      `${data[0].id} · 32,768 tokens`,
    );
    const facts = await page.read(`document.getElementById('facts').textContent`);
    expect(facts).toContain(`Kernels${loaded.model.engine.name}`);
    expect(facts).toContain('Fingerprintfp_test');
    expect(page.errors).toEqual([]);
  });

  it('answers what the API answers, as it is written, and keeps it', async () => {
    stopsAt = TWO_TOKENS;
    await openReady();
    await set('temperature', '0');
    await page.click('#draft');
    await page.type(QUESTION);
    await page.press('Enter');
    const part = await page.until<string>(`${TOKENS} === 2 && !${IS_DONE} && ${TEXT}`);
    letGoOn();
    await page.until(IS_DONE);
    const text = await page.read<string>(TEXT);
    expect(text.length).toBeGreaterThan(part.length);
    expect(text.startsWith(part)).toBe(true);

    const messages = [{ role: 'user', content: QUESTION }];
    const { choices, usage } = await client.ask('/v1/chat/completions', {
      messages,
      temperature: 0,
    });
    expect(text).toBe(choices[0].message.content);
    const used = `document.getElementById('context').textContent`;
    await page.until(`${used} === '${usage.total_tokens} of 32,768 tokens'`);
    expect(await page.read(isSaid(text))).toBe(true);

    await page.send('Page.reload');
    await page.until(`${TEXT} === ${JSON.stringify(text)}`);
    await page.click('#new');
    await page.until(`${TEXT} === undefined`);
    await page.click('#notice button'); // which brings it back
    await page.until(`${TEXT} === ${JSON.stringify(text)}`);
    await page.click('#new');
    await page.send('Page.reload');
    await page.until(`document.querySelector('.example')`);
    expect(await page.read(TEXT)).toBeUndefined();
    expect(page.errors).toEqual([]);
  });

  it('tells the probability of a token, by pointer and by keys', async () => {
    await openReady();
    await set('temperature', '0');
    await ask(QUESTION);
    const messages = [{ role: 'user', content: QUESTION }];
    const { choices } = await client.ask('/v1/chat/completions', {
      messages,
      temperature: 0,
      logprobs: true,
      top_logprobs: 5,
    });
    const alternatives = choices[0].logprobs.content.map(
      ({ top_logprobs: top }: { top_logprobs: object[] }) => top.length,
    );
    const rows = `document.querySelectorAll('#token-info tr').length`;
    await page.point('.token:nth-child(2)');
    expect(await page.until(rows)).toBe(alternatives[1]);
    expect(await page.read(`document.querySelector('#token-info .chosen').textContent`)).toMatch(
      /%$/,
    );
    await page.press('Escape');
    expect(await page.read(`document.getElementById('token-info').hidden`)).toBe(true);

    await page.read(`document.querySelector('.answer-text').focus()`);
    await page.press('ArrowRight');
    const first = await page.read(`document.querySelector('.token').textContent`);
    expect(await page.read(`document.querySelector('.current').textContent`)).toBe(first);
    await page.press('ArrowRight');
    expect(await page.read(isSaid('%'))).toBe(true);
    await page.click('#tint');
    expect(await page.read(`document.querySelector('#tint').ariaPressed`)).toBe('true');
    const tints = `[...document.querySelectorAll('.token')]
      .map(element => getComputedStyle(element).getPropertyValue('--doubt'))`;
    const doubts = choices[0].logprobs.content.map(({ logprob }: { logprob: number }) =>
      (1 - Math.exp(logprob)).toFixed(3),
    );
    expect(await page.read(tints)).toEqual(doubts);
    expect(page.errors).toEqual([]);
  });

  it('stops with Escape, and keeps what was written', async () => {
    stopsAt = TWO_TOKENS;
    await openReady();
    await set('temperature', '0');
    await page.click('#draft');
    await page.type(QUESTION);
    await page.press('Enter');
    await page.until(`${TOKENS} === 2`);
    await page.press('Escape');
    await page.until(IS_DONE);
    expect(await page.read(`document.querySelector('.about').textContent`)).toMatch(/stopped$/);
    await page.until(isSaid('Stopped.'));
    letGoOn();
    await page.click('.answer .actions button:nth-child(2)'); // regenerate
    await page.until(
      `${IS_DONE} && !document.querySelector('.about').textContent.match('stopped')`,
    );
    const { choices } = await client.ask('/v1/chat/completions', {
      messages: [{ role: 'user', content: QUESTION }],
      temperature: 0,
    });
    expect(await page.read(TEXT)).toBe(choices[0].message.content);
    expect(page.errors).toEqual([]);
  });

  it('gives a question back that is stopped before its answer begins', async () => {
    stopsAt = /prompt_progress/;
    await openReady();
    await page.click('#draft');
    await page.type(QUESTION);
    await page.press('Enter');
    await page.until(`document.querySelector('progress')`);
    await page.click('#stop');
    await page.until(IS_DONE);
    expect(await page.read(DRAFT)).toBe(QUESTION);
    expect(await page.read(`document.querySelectorAll('article').length`)).toBe(0);
    expect(page.errors).toEqual([]);
  });

  it('puts a dropped file in front of the question, with its number of tokens', async () => {
    const text = 'The heron sits on the barn.\nThe bread is old.\n';
    await openReady();
    await set('temperature', '0');
    await drop('birds.txt', text);
    const { count } = await client.ask('/tokenize', { content: text });
    await page.until(`document.querySelector('.chip .count')?.textContent === '${count} tokens'`);
    const messages = [{ role: 'user', content: `${text}\n\nWhere is it?` }];
    await page.click('#draft');
    await page.type('Where is it?');
    const whole = await client.ask('/tokenize', { messages });
    await page.until(
      `document.getElementById('context').textContent.startsWith('${whole.count} of')`,
    );
    const answer = await ask('');
    const { choices } = await client.ask('/v1/chat/completions', { messages, temperature: 0 });
    expect(answer).toBe(choices[0].message.content);
    expect(await page.read(`document.querySelector('.question .chip').textContent`)).toBe(
      'birds.txt',
    );
    expect(page.errors).toEqual([]);
  });

  it('says both numbers of a document that is too long, and cuts nothing', async () => {
    const text = 'a heron and '.repeat(20_000);
    const { count } = await client.ask('/tokenize', { content: text });
    await openReady();
    await drop('long.txt', text);
    const said = `${count.toLocaleString('en')} tokens, and the context has 32,768`;
    await page.until(`document.querySelector('.chip.wrong .count')?.textContent === '${said}'`);
    await page.click('#send');
    await page.until(
      `document.querySelector('#notice code')?.textContent === 'context_length_exceeded'`,
    );
    await page.until(`document.querySelector('.chip.wrong .count')?.textContent === '${said}'`);
  });

  it('asks anew what is edited, and only shows what a model wrote as text', async () => {
    await openReady();
    await set('temperature', '0');
    await ask(QUESTION);
    await page.click('.question button');
    await page.until(`document.activeElement.closest('.edit')`);
    const text = '<img src=x onerror=alert(1)> Which is it?';
    await page.read(`document.activeElement.select()`);
    await page.type(text);
    await page.click('.edit .loud');
    await page.until(`${IS_DONE} && document.querySelectorAll('.answer .about').length === 1`);
    expect(await page.read(`document.querySelector('.question-text').textContent`)).toBe(text);
    expect(await page.read(`document.querySelectorAll('#messages img').length`)).toBe(0);
    expect(page.errors).toEqual([]);
  });

  it('shows the request as curl and as TypeScript', async () => {
    await openReady();
    await page.click('#draft');
    await page.type("it's");
    await page.click('#show-request');
    const texts = await page.until<string>(`document.querySelector('#request[open]')?.textContent`);
    expect(texts).toContain(`curl --no-buffer '${listening.url}/v1/chat/completions'`);
    expect(texts).toContain(`"content": "it'\\''s"`);
    expect(texts).toContain(`new OpenAI({ baseURL: "${listening.url}/v1"`);
    await page.press('Escape');
    await page.until(`!document.querySelector('#request[open]')`);
    expect(page.errors).toEqual([]);
  });

  it('has a name and a role for everything that can be used', async () => {
    await openReady();
    await ask(QUESTION);
    const told = await page.accessible();
    const controls = ['button', 'textbox', 'spinbutton', 'slider', 'link', 'meter', 'group'];
    for (const { role, name } of told) if (controls.includes(role)) expect(name, role).not.toBe('');
    for (const expected of [
      { role: 'main', name: '' },
      { role: 'region', name: 'Conversation' },
      { role: 'complementary', name: 'Settings' },
      { role: 'article', name: 'You' },
      { role: 'article', name: 'Answer of tiny-32k' },
      { role: 'textbox', name: 'Message' },
      { role: 'button', name: 'Send' },
      { role: 'button', name: 'Copy answer' },
      { role: 'button', name: 'Tint tokens by probability' },
      { role: 'button', name: 'Colours: system' },
      { role: 'spinbutton', name: 'Temperature' },
      { role: 'meter', name: 'Context in use' },
    ]) {
      expect(told).toContainEqual(expected);
    }
  });

  it('is reached by the keyboard in the order in which it is read, always visibly', async () => {
    await openReady();
    await page.read(`document.querySelector('.skip').focus()`);
    const reached: string[] = [];
    for (let i = 0; i < 11; i += 1) {
      await page.press('Tab');
      reached.push(
        await page.read(`document.activeElement.id || document.activeElement.className`),
      );
      const outline = `getComputedStyle(document.activeElement).outlineStyle`;
      if (reached.at(-1) !== 'draft')
        expect(await page.read(outline), reached.at(-1)).toBe('solid');
    }
    expect(reached).toEqual([
      'new',
      'tint',
      'show-request',
      'theme',
      'show-settings',
      'conversation',
      'example',
      'example',
      'example',
      'draft',
      'attach',
    ]);
  });

  it('fits a window of 360 pixels, where the settings cover it while they are open', async () => {
    await openReady();
    await ask(QUESTION);
    await page.resize(360, 640);
    const isWide = 'document.documentElement.scrollWidth > 360';
    await page.until(`document.getElementById('settings').hidden`);
    expect(await page.read(isWide)).toBe(false);
    await page.click('#show-settings');
    expect(await page.read(`document.getElementById('main').inert`)).toBe(true);
    expect(await page.read(isWide)).toBe(false);
    await page.press('Escape');
    expect(await page.read(`document.activeElement.id`)).toBe('show-settings');
  });

  it('is light or dark as the system is, until somebody chooses', async () => {
    await openReady();
    const paper = `getComputedStyle(document.body).backgroundColor`;
    const prefer = (value: string) =>
      page.send('Emulation.setEmulatedMedia', {
        features: [{ name: 'prefers-color-scheme', value }],
      });
    await prefer('light');
    const light = await page.read(paper);
    await prefer('dark');
    const dark = await page.read(paper);
    expect(dark).not.toBe(light);
    await page.click('#theme');
    expect(await page.read(paper)).toBe(light);
    await page.send('Page.reload');
    await page.until(`document.querySelector('.example')`);
    expect(await page.read(paper)).toBe(light);
    await page.click('#theme');
    expect(await page.read(paper)).toBe(dark);
  });

  it('asks for a key where one is wanted', async () => {
    const closed = serverWith({ apiKey: ['secret'] });
    const port = await listen(closed.fetch, { port: 0 });
    try {
      page = await chromium.open(port.url);
      await page.until(`document.activeElement.id === 'key'`);
      await page.type('wrong');
      await page.press('Enter');
      await page.until(`document.querySelector('#notice code')?.textContent === 'invalid_api_key'`);
      await page.read(`document.getElementById('key').select()`);
      await page.type('secret');
      await page.press('Enter');
      await page.until(`document.querySelector('.example')`);
      expect(await page.read(`document.getElementById('key-form').hidden`)).toBe(true);
      page.requests.length = 0; // of another port, on purpose
    } finally {
      port.closeAtOnce();
      await closed.close();
    }
  });

  it('waits while the model is loaded', async () => {
    let fetch = answerLoading;
    const port = await listen(request => fetch(request), { port: 0 });
    try {
      page = await chromium.open(port.url);
      await page.until(`document.getElementById('notice').textContent.includes('being loaded')`);
      fetch = server.fetch;
      await page.until(`document.querySelector('.example')`);
      expect(await page.read(`document.getElementById('notice').textContent`)).toBe('');
      page.requests.length = 0; // of another port, on purpose
    } finally {
      port.closeAtOnce();
    }
  });
});
