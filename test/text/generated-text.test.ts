/** What else than a loop over its steps a text can be read by, and an end that is no error. */
import { describe, expect, it } from 'vitest';
import { complete, generate } from '../../src/text/generate.js';
import type { GeneratedText } from '../../src/text/generated-text.js';
import type { GenerateOptions } from '../../src/text/options.js';
import { createScheduler } from '../../src/text/scheduler/scheduler.js';
import { TokenSequence } from '../../src/text/token-sequence.js';
import { babbling, bytesOf, byteTokenizer, type FakeModel, saying } from '../support/fake-model.js';

const PROMPT = 'Hi'; // BOS and two bytes
const PROMPT_TOKENS = 3;
const says = (output: string | readonly number[]) => saying(output, PROMPT_TOKENS, 200);

type Driver = (model: FakeModel, options?: GenerateOptions) => GeneratedText;
const DRIVERS: [string, Driver][] = [
  ['generate', (model, options) => generate(model, byteTokenizer, PROMPT, options)],
  [
    'a scheduler',
    (model, options) => createScheduler(model, byteTokenizer).generate(PROMPT, options),
  ],
];

describe.each(DRIVERS)('a text of %s', (_, write) => {
  it('is all there as text()', async () => {
    expect(await write(says('Hello, Mira')).text()).toBe('Hello, Mira');
  });

  it('is the rest of it as text(), behind steps that were read', async () => {
    const written = write(says('Hello'), { lookup: false });
    expect((await written.next()).value).toMatchObject({ text: 'H' });
    expect(await written.text()).toBe('ello');
    expect(await written.text()).toBe('');
  });

  it('is a stream of what can be shown, without empty parts', async () => {
    const parts = [];
    for await (const part of write(says('é, né')).toReadableStream()) parts.push(part);
    expect(parts.join('')).toBe('é, né');
    expect(parts).toContain('é');
    expect(parts).not.toContain('');
  });

  it('is computed as far as its stream is read, and given up when that is cancelled', async () => {
    const model = babbling();
    const reader = write(model, { lookup: false }).toReadableStream().getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    const passes = model.rowsPerPass.length;
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(model.rowsPerPass).toHaveLength(passes);
    expect(model.sequences[0].disposed).toBe(false);
    await reader.cancel();
    expect(model.sequences[0].disposed).toBe(true);
  });

  it('fails its stream and its text() with the reason of its signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(write(says('a'), { signal }).text()).rejects.toThrow('enough');
    const reader = write(says('a'), { signal }).toReadableStream().getReader();
    await expect(reader.read()).rejects.toThrow('enough');
  });
});

describe.each(DRIVERS)('onAbort: return, in %s', (_, write) => {
  /** The text, aborted when so many tokens of its prompt or output are done. */
  function cut(model: FakeModel, stage: string, at: number, more: GenerateOptions = {}) {
    const aborter = new AbortController();
    const onProgress = (progress: { stage: string; done: number }) => {
      if (progress.stage === stage && progress.done >= at) aborter.abort(new Error('enough'));
    };
    const options = { lookup: false, ...more, signal: aborter.signal, onProgress };
    return write(model, { onAbort: 'return', ...options });
  }

  async function stepsOf(written: GeneratedText) {
    const steps = [];
    for await (const step of written) steps.push(step);
    return { steps, result: steps.at(-1)!.result! };
  }

  it('ends a text with what was written, and frees its memory', async () => {
    const model = says('Hello, Mira');
    const { steps, result } = await stepsOf(cut(model, 'decode', 5));
    expect(result).toMatchObject({ text: 'Hello', finishReason: 'abort', stoppedBy: undefined });
    expect(result.tokens).toEqual(bytesOf('Hello'));
    expect(steps.map(({ text }) => text).join('')).toBe('Hello');
    expect(steps.filter(step => step.result !== undefined)).toHaveLength(1);
    expect(steps.at(-1)!.token).toBeUndefined();
    expect(model.sequences.every(({ disposed }) => disposed)).toBe(true);
  });

  it('gives what was held back: half a character, and what may have become a stop', async () => {
    const half = await stepsOf(cut(says('aé'), 'decode', 2));
    expect(half.result.text).toBe('a\ufffd');
    const stop = await stepsOf(cut(says('ab END'), 'decode', 5, { stop: [' END.'] }));
    expect(stop.result.text).toBe('ab EN');
    for (const { steps, result } of [half, stop])
      expect(steps.map(({ text }) => text).join('')).toBe(result.text);
  });

  it('ends one that has nothing yet with nothing', async () => {
    const inPrompt = await stepsOf(cut(says('a'), 'prefill', 1, { chunkSize: 1 }));
    const before = await stepsOf(
      write(says('a'), { onAbort: 'return', signal: AbortSignal.abort() }),
    );
    for (const { steps, result } of [inPrompt, before]) {
      expect(steps).toHaveLength(1);
      expect(result).toMatchObject({ text: '', tokens: [], finishReason: 'abort' });
    }
  });

  it('leaves an end as it is that came before it', async () => {
    const { steps, result } = await stepsOf(cut(says('ab'), 'decode', 3));
    expect(result).toMatchObject({ text: 'ab', finishReason: 'eos' });
    expect(steps).toHaveLength(3);
  });

  it('gives steps that were computed together, and then the end', async () => {
    const text = 'abcdefgh '.repeat(6);
    const { steps, result } = await stepsOf(cut(says(text), 'decode', 40, { lookup: true }));
    expect(result.lookup.accepted).toBeGreaterThan(0);
    expect(steps.map(step => step.text).join('')).toBe(result.text);
    expect(text.startsWith(result.text)).toBe(true);
    expect(result.finishReason).toBe('abort');
  });

  it('throws all other errors', async () => {
    const model = says('abc');
    model.forward = () => Promise.reject(new Error('broken'));
    await expect(write(model, { onAbort: 'return' }).text()).rejects.toThrow('broken');
    const signal = new AbortController().signal;
    await expect(write(model, { onAbort: 'return', signal }).text()).rejects.toThrow('broken');
  });

  it('leaves a sequence to whoever gave it, with what it holds', async () => {
    const model = says('Hello, Mira');
    const sequence = new TokenSequence(model);
    await cut(model, 'decode', 5, { sequence }).text();
    expect(sequence.tokens.length).toBeGreaterThanOrEqual(PROMPT_TOKENS + 4);
    expect(await write(model, { sequence }).text()).toBe('Hello, Mira');
  });
});

it('complete gives the result of a text that was cut short', async () => {
  const options = { onAbort: 'return', signal: AbortSignal.abort() } as const;
  const result = await complete(says('a'), byteTokenizer, PROMPT, options);
  expect(result.finishReason).toBe('abort');
});

it('a text that ends so gives up its place in a scheduler, or in its queue', async () => {
  const scheduler = createScheduler(babbling(), byteTokenizer, { maxRunning: 1 });
  const aborter = new AbortController();
  const options = { onAbort: 'return', signal: aborter.signal } as const;
  const first = scheduler.generate(PROMPT, options);
  await first.next();
  const second = scheduler.generate(PROMPT, { maxNewTokens: 5 }).text();
  const third = scheduler.generate(PROMPT, options).text();
  aborter.abort();
  expect(await third).toBe(''); // it never had its turn
  await first.text();
  expect(await second).not.toBe('');
  expect([scheduler.running, scheduler.waiting]).toEqual([0, 0]);
});
