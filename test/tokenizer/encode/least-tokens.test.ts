import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTokenizer } from '../../../src/load/tokenizer.js';
import { leastTokens } from '../../../src/tokenizer/encode/least-tokens.js';
import { modelFromScores } from '../../../src/tokenizer/model/tokenizer-model.js';
import { goldenPath } from '../../support/golden.js';

const tokenizer = await openTokenizer(goldenPath('tokenizer'));
const tiny = await openTokenizer(goldenPath('tiny-32k'));

describe('leastTokens', () => {
  it('is never more than there are', () => {
    const words = fc.constantFrom(
      'the ',
      ' ',
      '▁',
      '\n',
      'Once',
      '文',
      '🦙',
      '\ud800',
      '<s>',
      'ing',
    );
    const text = fc.oneof(
      fc.array(words, { maxLength: 60 }).map(all => all.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(text, each => {
        for (const one of [tokenizer, tiny])
          expect(one.leastTokens(each)).toBeLessThanOrEqual(one.encode(each).length);
      }),
      { numRuns: 2000 },
    );
  });

  it('is reached by the longest piece, again and again', async () => {
    const least = tiny.leastTokens('x'.repeat(1_000_000));
    expect(least).toBeGreaterThan(1_000_000 / 64);
  });

  it('counts no white space, which a token may swallow with itself', () => {
    expect(tokenizer.leastTokens(' \t\n\u00a0\u3000▁'.repeat(1000))).toBe(0);
  });

  it('is 0 where a run of unknown characters is one token', () => {
    const pieces = [
      { text: '<unk>', type: 'unknown', score: 0 },
      { text: '<s>', type: 'control', score: 0 },
      { text: '</s>', type: 'control', score: 0 },
      { text: '▁', type: 'normal', score: -1 },
    ] as const;
    const spaces = { prefix: 'always' } as never;
    const model = modelFromScores(pieces, { unkId: 0, bosId: 1, eosId: 2 }, spaces, false);
    expect(leastTokens('文'.repeat(1000), model)).toBe(0);
    expect(leastTokens('文'.repeat(1000), { ...model, fusesUnknown: false })).toBe(200);
  });
});
