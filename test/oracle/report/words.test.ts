/** The words and numbers that all forms of the report have. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  showPart,
  showRatio,
  showSize,
  sideBySide,
} from '../../../src/oracle/report/words/numbers.js';
import { headline } from '../../../src/oracle/report/words/sentences.js';
import {
  curveOf,
  divergedTensor,
  placeOf,
  spoken,
} from '../../../src/oracle/report/words/tensors.js';
import { comparison, logitsOnly, rowAt, tensorOf } from './support.js';

describe('the headline says', () => {
  it('from where on they differ, and how much more than they may', () => {
    const name = 'model.layers.0.self_attn.q_rotated';
    const firstDivergence = { tensor: name, position: 1, error: 4e-3, budget: 1e-6 };
    const rows = [rowAt(0, 0.2), rowAt(1, 4321)];
    const tensors = [tensorOf(name, rows)];
    expect(headline(comparison({ verdict: 'WRONG', firstDivergence, tensors }))).toBe(
      "WRONG: differs from layer 0's q_rotated at position 1 on, up to 4,300 times beyond what " +
        'f32 arithmetic can do',
    );
  });

  it('how near those are that conform', () => {
    const tensors = [tensorOf('lm_head', [rowAt(3, 0.43)])];
    expect(headline(comparison({ tensors }))).toBe(
      'WITHIN_BUDGET: conforms; nowhere farther from the truth than honest f32 arithmetic gets ' +
        '(0.43 of its budget at most, in the logits)',
    );
    expect(headline(comparison({ verdict: 'EXACT' }))).toBe(
      'EXACT: every number is the truth, rounded to f32',
    );
    const flips = [{ position: 3, ours: 1, theirs: 2, margin: 1e-9 }];
    expect(headline(comparison({ verdict: 'TIE_FLIP', flips }))).toMatch(
      /^TIE_FLIP: conforms; at 1 position another token/,
    );
  });

  it('that a less precise type would explain it', () => {
    expect(headline(logitsOnly())).toMatch(/^DRIFT: differs from the logits at .* less precise/);
  });

  it('what is no result', () => {
    const of = (theirs: number) => {
      const worst = { row: 5, column: 1234, ours: 1, theirs };
      return comparison({
        verdict: 'INVALID',
        tensors: [{ ...tensorOf('model.norm', [rowAt(5, NaN)], 'INVALID'), worst }],
      });
    };
    expect(headline(of(NaN))).toBe(
      'INVALID: NaN in the last norm at position 5, number 1,234: no result at all',
    );
    expect(headline(of(3))).toMatch(/^INVALID: the same number everywhere in the last norm/);
  });

  it('something, also of a comparison that has no tensors', () => {
    const none = { tensors: [], forced: [], firstDivergence: null };
    for (const verdict of ['WITHIN_BUDGET', 'DRIFT', 'WRONG', 'INVALID'] as const)
      expect(headline(comparison({ verdict, ...none }))).toMatch(/^[A-Z_]+: \w/);
  });
});

describe('tensors', () => {
  it.each([
    ['model.embed_tokens', 'the embeddings', undefined],
    ['model.layers.12.self_attn.q_proj', "layer 12's q_proj", 12],
    ['model.layers.0.input_layernorm', "layer 0's input_layernorm", 0],
    ['model.layers.3', "layer 3's output", 3],
    ['lm_head', 'the logits', undefined],
    ['constructor', 'constructor', undefined],
  ])('%s is %s', (name, said, layer) => {
    expect(spoken(name)).toBe(said);
    expect(placeOf(name).layer).toBe(layer);
  });

  it('the curve is that of the logits, or of what came last', () => {
    const [a, b] = ['lm_head', 'model.norm'].map(name => tensorOf(name, [rowAt(0, 1)]));
    expect(curveOf({ tensors: [a, b] })).toBe(a);
    expect(curveOf({ tensors: [b] })).toBe(b);
    expect(curveOf({ tensors: [] })).toBeUndefined();
  });

  it('the one that diverges first is looked at in the mode in which it does', () => {
    const name = 'model.norm';
    const [good, bad] = [0.1, 9].map(ratio => tensorOf(name, [rowAt(0, ratio)]));
    const firstDivergence = { tensor: name, position: 0, error: 9e-6, budget: 1e-6 };
    const both = comparison({ firstDivergence, tensors: [good], forced: [bad] });
    expect(divergedTensor(both)).toBe(bad);
  });
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.004, '<0.01'],
    [0.4321, '0.43'],
    [1, '1'],
    [4321, '4,300'],
    [4.3e9, '4.3e+9'],
    [NaN, 'NaN'],
    [Infinity, '∞'],
  ])('the ratio %d is %s', (ratio, shown) => expect(showRatio(ratio)).toBe(shown));

  it('a ratio is above 1 as it is shown exactly if it is above 1', () => {
    const near = fc.double({ min: 0.99, max: 1.01, noNaN: true });
    fc.assert(
      fc.property(fc.oneof(near, fc.double({ min: 0.01, max: 1e6, noNaN: true })), ratio => {
        expect(Math.sign(Number(showRatio(ratio).replaceAll(',', '')) - 1)).toBe(
          Math.sign(ratio - 1),
        );
      }),
    );
  });

  it('two numbers that differ look different, however near they are', () => {
    expect(sideBySide(0.1, 0.2)).toEqual(['0.100000', '0.200000']);
    const near = 8.589149776495001e-88; // with 11 digits they differ, with 12 they do not
    expect(sideBySide(near, near * (1 + 583e-15))[0]).toBe('8.58914977649500e-88');
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.nat(1000), (x, ulps) => {
        const y = x * (1 + ulps * 1e-15);
        fc.pre(x.toPrecision(17) !== y.toPrecision(17));
        const [a, b] = sideBySide(x, y);
        expect(a).not.toBe(b);
      }),
    );
  });

  it('a part is 100 % only if it is all', () => {
    expect([1, 0.99997, 0.9999999, 0.871, 0].map(showPart)).toEqual([
      ...['100 %', '99.997 %', 'over 99.9999 %', '87.1 %', '0 %'],
    ]);
  });

  it('sizes have their magnitude', () => {
    expect([0, 0.123456, 3.21e-7, 12345, NaN, Infinity].map(showSize)).toEqual([
      ...['0', '0.123', '3.2e-7', '1.2e+4', 'NaN', '∞'],
    ]);
  });
});
