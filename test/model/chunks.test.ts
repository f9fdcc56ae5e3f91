/** Reading a text in chunks: which logits come, when, and where the text is afterwards. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHUNK_SIZE, readTokens, rowsAfter, tokensDone } from '../../src/model/chunks.js';
import type { Llama } from '../../src/model/llama.js';
import { openGolden } from '../support/golden.js';

const tokens = Array.from({ length: 20 }, (_, i) => 3 + ((i * 37) % 250));

describe('readTokens', () => {
  let model: Llama;
  beforeAll(async () => {
    model = await openGolden('gqa', 'f32');
  });
  afterAll(() => model.close());

  async function read(options: Parameters<typeof readTokens>[2]) {
    const readings: { index: number; logits: number[] }[] = [];
    for await (const { index, logits } of readTokens(model, tokens, options)) {
      readings.push({ index, logits: Array.from(logits) });
    }
    return readings;
  }

  test.each([1, 3, 7, 20, CHUNK_SIZE])(
    'gives all logits, the same bits, in chunks of %d',
    async chunkSize => {
      const whole = await model.forward(rowsAfter(model.createSequence(), tokens), {
        logitsFor: [...tokens.keys()],
      });
      const readings = await read({ chunkSize });
      expect(readings.map(({ index }) => index)).toEqual([...tokens.keys()]);
      expect(readings.flatMap(({ logits }) => logits)).toEqual(Array.from(whole.data));
    },
  );

  test('gives those that are wanted', async () => {
    const all = await read({});
    const wants = (index: number) => [0, 6, 7, 19].includes(index);
    expect(await read({ chunkSize: 7, wants })).toEqual(all.filter(({ index }) => wants(index)));
  });

  test('goes on where a sequence is, and leaves it there', async () => {
    const sequence = model.createSequence();
    await model.forward(rowsAfter(sequence, tokens.slice(0, 5)));
    const rest: number[] = [];
    for await (const { index } of readTokens(model, tokens.slice(5), { sequence, chunkSize: 4 }))
      rest.push(index);
    expect(rest).toEqual([...Array(15).keys()]);
    expect(sequence.length).toBe(20);
  });

  test('tells progress, layers as parts of the tokens, and ends with all', async () => {
    const done: number[] = [];
    await read({ chunkSize: 12, wants: () => false, onProgress: n => done.push(n) });
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect([done.includes(12), done.at(-1)]).toEqual([true, 20]);
    expect(tokensDone(12, 1, 5)).toBe(2);
  });

  test('frees its own sequence, also when left early', async () => {
    let isDisposed = false;
    const watched = {
      config: model.config,
      forward: model.forward.bind(model),
      createSequence() {
        const sequence = model.createSequence();
        const dispose = sequence.dispose.bind(sequence);
        sequence.dispose = () => {
          isDisposed = true;
          dispose();
        };
        return sequence;
      },
    };
    for await (const { index } of readTokens(watched, tokens, { chunkSize: 2 })) {
      if (index === 3) break;
    }
    expect(isDisposed).toBe(true);
  });

  test('stops at a signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(read({ signal })).rejects.toThrow('enough');
  });
});
