import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../src/server/playground/web/api/failure.js';
import { readDocument } from '../../../src/server/playground/web/documents/read-document.js';
import {
  FIELDS,
  INITIAL,
  readSettings,
  whyNot,
} from '../../../src/server/playground/web/settings/fields.js';
import { chatRequest } from '../../../src/server/schemas/chat.js';

describe('settings', () => {
  it.each(FIELDS)('of $name have no value that the server would not take', field => {
    const { name, min } = field;
    const max = 'max' in field ? field.max : 2 ** 31;
    for (const value of [min, max, min - 1, max + 1, 0.5, Number.NaN]) {
      if (whyNot(field, value) !== undefined) continue;
      const request = { messages: [{ role: 'user', content: 'x' }], [name]: value };
      expect(chatRequest.safeParse(request).error, `${name} ${value}`).toBeUndefined();
    }
    for (const value of [min - 1, Number.NaN]) expect(whyNot(field, value)).toContain(field.label);
  });

  it('that were kept are read as far as they are sound', () => {
    const kept = { system: 'a', values: { top_k: 1.5, seed: 7, temperature: 3, other: 1 } };
    expect(readSettings(kept)).toEqual({ system: 'a', values: { seed: 7 } });
    for (const other of [null, 1, 'x', {}, { values: null }]) {
      expect(readSettings(other)).toEqual(INITIAL);
    }
  });
});

describe('a failure', () => {
  it.each([
    ['context_length_exceeded', 400, /Remove a document/],
    ['queue_full', 429, /in a moment/],
    ['internal_error', 500, /log/],
    ['invalid_value', 400, /Change what the message names/],
  ])('%s says what to do next', (code, status, step) => {
    const failure = failureOf(status, JSON.stringify({ error: { code, message: 'why' } }));
    expect(failure).toMatchObject({ code, status, message: 'why' });
    expect(failure.nextStep).toMatch(step);
  });

  it('of something between here and the server is shown as it came', () => {
    expect(failureOf(502, '<h1>Bad gateway</h1>')).toMatchObject({
      code: 'http_502',
      message: '<h1>Bad gateway</h1>',
    });
  });
});

describe('a document', () => {
  const file = (name: string, bytes: Uint8Array) => ({
    name,
    arrayBuffer: async () => bytes.slice().buffer,
  });

  it('is all the text of its file, without the mark of its encoding', async () => {
    const bytes = new TextEncoder().encode('\ufeffa\r\n🦙 ');
    expect(await readDocument(file('a.txt', bytes))).toEqual({ name: 'a.txt', text: 'a\r\n🦙 ' });
  });

  it('is refused by name if it is no text', async () => {
    const utf16 = new Uint8Array([0xff, 0xfe, 0x61, 0x00]);
    await expect(readDocument(file('b.txt', utf16))).rejects.toThrow('b.txt is not text in UTF-8');
    await expect(readDocument(file('c', new Uint8Array()))).rejects.toThrow('c is empty');
  });
});
