import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutText, type Window, windowLength } from '../../../src/text/perplexity/windows.js';

const scoredBy = ({ firstScored, end }: Window) =>
  Array.from({ length: end - firstScored }, (_, i) => firstScored + i);

describe('chunks', () => {
  test('of 512 score what llama-perplexity scores: 255 tokens, n_ctx − n_ctx/2 − 1', () => {
    expect(cutText(1500, { ctxSize: 512 })).toEqual([
      { start: 0, end: 512, firstScored: 257 },
      { start: 512, end: 1024, firstScored: 769 },
    ]);
  });

  test.each([3, 33, 50, 66])('of %d lie side by side, and each scores less than half', ctxSize => {
    const windows = cutText(1000, { ctxSize });
    expect(windows).toHaveLength(Math.floor(1000 / ctxSize));
    for (const [i, window] of windows.entries()) {
      expect([window.start, window.end]).toEqual([i * ctxSize, (i + 1) * ctxSize]);
      expect(scoredBy(window)).toHaveLength(Math.ceil(ctxSize / 2) - 1);
    }
  });

  test('want room for two, and say how many tokens there are', () => {
    expect(cutText(1024, { ctxSize: 512 })).toHaveLength(2);
    expect(() => cutText(1023, { ctxSize: 512 })).toThrow(
      expect.objectContaining({
        code: 'BAD_INPUT',
        option: 'ctxSize',
        message:
          'the text has 1023 tokens; for chunks of 512 it must have 1024 at least, two chunks: ' +
          'give a longer text, or a ctxSize of at most 511',
      }),
    );
    expect(() => cutText(5, { ctxSize: 512 })).toThrow(/: give a longer text$/);
  });
});

describe('sliding windows', () => {
  const cut = fc
    .record({ count: fc.integer({ min: 2, max: 600 }), ctxSize: fc.integer({ min: 3, max: 130 }) })
    .chain(given =>
      fc.integer({ min: 1, max: given.ctxSize }).map(stride => ({ ...given, stride })),
    );

  test('score every token but the first, once; but none without any before it', () => {
    fc.assert(
      fc.property(cut, ({ count, ctxSize, stride }) => {
        const windows = cutText(count, { ctxSize, stride });
        const scored = windows.flatMap(scoredBy);
        const expected = Array.from({ length: count }, (_, i) => i).filter(i =>
          stride === ctxSize ? i % ctxSize !== 0 : i !== 0,
        );
        expect(scored).toEqual(expected);
        for (const { start, end, firstScored } of windows) {
          expect(start % stride).toBe(0);
          expect(end - start).toBeLessThanOrEqual(ctxSize);
          expect(firstScored).toBeGreaterThan(start);
        }
      }),
    );
  });

  test('give a token at least ctxSize − stride before it, where the text has them', () => {
    fc.assert(
      fc.property(cut, ({ count, ctxSize, stride }) => {
        for (const window of cutText(count, { ctxSize, stride }))
          for (const token of scoredBy(window))
            expect(token - window.start).toBeGreaterThanOrEqual(
              Math.min(token, Math.max(1, ctxSize - stride)),
            );
      }),
    );
  });

  test('take a text of two tokens, and refuse one of one', () => {
    expect(cutText(2, { ctxSize: 512, stride: 64 })).toEqual([
      { start: 0, end: 2, firstScored: 1 },
    ]);
    expect(() => cutText(1, { ctxSize: 512, stride: 64 })).toThrow(/give it 2 at least/);
  });
});

describe('overlapping windows', () => {
  test('score stretches that follow one another, each the last of a window of full length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 130 }),
        fc.integer({ min: 1, max: 130 }),
        fc.integer({ min: 0, max: 400 }),
        (ctxSize, wanted, more) => {
          const pplStride = Math.min(wanted, ctxSize);
          const length = windowLength({ ctxSize, pplStride });
          const count = 2 * length + more;
          const windows = cutText(count, { ctxSize, pplStride });
          const scored = windows.flatMap(scoredBy);
          expect(scored).toEqual(scored.map((_, i) => length - pplStride + i));
          for (const { start, end, firstScored } of windows) {
            expect([end - start, end - firstScored]).toEqual([length, pplStride]);
            expect(firstScored).toBeGreaterThan(start);
          }
          const last = windows.at(-1)!.end;
          expect(last).toBeLessThan(count);
          expect(last + pplStride).toBeGreaterThanOrEqual(count);
        },
      ),
    );
  });
});
