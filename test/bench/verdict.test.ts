import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../bench/peers/verdict.js';

/** SmolLM2-135M-Instruct, as docs/LOG.md has it. */
describe('whether llama.cpp reads a format as it is read here', () => {
  it('passes where the format costs more than what separates the engines', () => {
    expect(verdictOf({ between: 1.99e-3, fromF32: [1.77e-2, 1.72e-2] })).toBe('PASS');
  });

  it.each([
    ['Q8_0', 1e-3, 4e-4, 1.24e-3],
    ['Q4_1', 9.28e-4, 8.46e-4, 1.15e-3],
  ])('is told where the format costs less, and ours is nearer to F32: %s', (_, between, ...own) => {
    expect(verdictOf({ between, fromF32: own })).toBe('NEARER');
  });

  it('fails where theirs is nearer', () => {
    expect(verdictOf({ between: 1e-3, fromF32: [1.24e-3, 4e-4] })).toBe('FAIL');
  });

  it('fails where one is nearer because the other reads another model', () => {
    expect(verdictOf({ between: 0.5, fromF32: [4e-4, 0.5] })).toBe('FAIL');
  });

  it.each(['between', 'ours', 'theirs'])('fails if %s is no number', what => {
    const of = (name: string, number: number) => (name === what ? NaN : number);
    const fromF32 = [of('ours', 4e-4), of('theirs', 1.24e-3)] as const;
    expect(verdictOf({ between: of('between', 1e-3), fromF32 })).toBe('FAIL');
  });
});
