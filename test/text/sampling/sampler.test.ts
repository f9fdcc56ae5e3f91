import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SamplingOptions } from '../../../src/text/sampling/options.js';
import {
  argmax,
  checkSamplingOptions,
  createSampler,
  distribution,
  draw,
  processLogits,
} from '../../../src/text/sampling/sampler.js';

const refused = (code: string, ...parts: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(parts.join('.*')) });

const support = (logits: number[], options: SamplingOptions): number[] => {
  const probabilities = distribution(new Float32Array(logits), [], checkSamplingOptions(options));
  return Array.from(probabilities).flatMap((p, id) => (p > 0 ? [id] : []));
};

describe('order', () => {
  test('temperature comes before top-p (bug I6)', () => {
    expect(support([3, 2, 1], { temperature: 0.5, topP: 0.8 })).toEqual([0]);
    expect(support([3, 2, 1], { temperature: 1, topP: 0.8 })).toEqual([0, 1]);
  });

  test('top-k comes before top-p, whose probabilities are of what top-k left', () => {
    const logits = [0.4, 0.3, 0.3].map(Math.log);
    expect(support(logits, { temperature: 1, topP: 0.5 })).toEqual([0, 2]);
    expect(
      support([...logits.slice(0, 1), Math.log(0.2), Math.log(0.4001)], {
        temperature: 1,
        topK: 2,
        topP: 0.5,
      }),
    ).toEqual([2]);
  });

  test('the penalty comes before temperature and filters', () => {
    const settings = checkSamplingOptions({ temperature: 0.5, topK: 1, repetitionPenalty: 2 });
    expect(Array.from(processLogits(new Float32Array([3, 2, -1]), [0, 2], settings))).toEqual([
      -Infinity,
      4,
      -Infinity,
    ]);
  });
});

describe('greedy', () => {
  const greedy = createSampler();

  test('takes the first of the largest', () =>
    expect(greedy.sample(new Float32Array([1, 7, 7, 2]), [])).toBe(1));
  test('has no seed', () =>
    expect(createSampler({ temperature: 0, seed: 5 }).seed).toBeUndefined());

  test('still applies the repetition penalty', () => {
    const sampler = createSampler({ repetitionPenalty: 1.1 });
    expect(sampler.sample(new Float32Array([2, 1.9, -5]), [0])).toBe(1);
    expect(sampler.sample(new Float32Array([-1, -1.05, -5]), [0])).toBe(1);
    expect(sampler.sample(new Float32Array([2, 1.9, -5]), [2])).toBe(0);
  });

  test('compares in float32, as transformers does', () => {
    expect(greedy.sample(new Float64Array([1, 1 + 1e-12]), [])).toBe(0);
  });

  test('an explicit temperature of 0 may come with filters, which change nothing (I7)', () => {
    expect(
      createSampler({ temperature: 0, topK: 3, topP: 0.9 }).sample(new Float32Array([0, 9, 8]), []),
    ).toBe(1);
  });
});

test('logits are left as they are', () => {
  const logits = new Float32Array([1, 2, 3]);
  createSampler({ temperature: 0.5, topK: 1, repetitionPenalty: 2 }).sample(logits, [0, 1, 2]);
  expect(Array.from(logits)).toEqual([1, 2, 3]);
});

describe('what cannot be sampled from', () => {
  const greedy = createSampler();
  const sampling = createSampler({ temperature: 0.7, topP: 0.9 });
  test.each([greedy, sampling])('NaN and infinities', sampler => {
    const sample =
      (...logits: number[]) =>
      () =>
        sampler.sample(new Float32Array(logits), []);
    expect(sample(1, NaN, 2)).toThrow(refused('NOT_FINITE', 'token 1 is NaN'));
    expect(sample(1, 2, Infinity)).toThrow(refused('NOT_FINITE', 'token 2 is Infinity'));
    expect(sample(-Infinity, -Infinity)).toThrow(refused('NOT_FINITE', 'no token'));
    expect(sample(-Infinity, 5)()).toBe(1);
  });

  test('a temperature so small that a score overflows', () => {
    const sample = () => createSampler({ temperature: 1e-40 }).sample(new Float32Array([1, 2]), []);
    expect(sample).toThrow(refused('BAD_OPTION', 'too extreme'));
  });
});

describe('the seed', () => {
  const logits = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i));
  const texts = Array.from({ length: 30 }, (_, n) => new Array<number>(n).fill(0));
  const tokens = (seed?: number) => {
    const sampler = createSampler({ temperature: 1, seed });
    return texts.map(ids => sampler.sample(logits, ids));
  };

  test('decides everything', () => {
    expect(tokens(42)).toEqual(tokens(42));
    expect(tokens(42)).not.toEqual(tokens(43));
  });

  test('order and number of calls do not: there is no state (bug I10)', () => {
    const sampler = createSampler({ temperature: 1, seed: 42 });
    const backwards = [...texts].reverse().map(ids => sampler.sample(logits, ids));
    expect(backwards.reverse()).toEqual(tokens(42));
  });

  test('is random if not given, and can be asked for', () => {
    const { seed } = createSampler({ temperature: 1 });
    expect(seed).not.toBe(createSampler({ temperature: 1 }).seed);
    expect(Number.isSafeInteger(seed)).toBe(true);
  });
});

test('what is drawn follows the distribution: chi-square of 40,000 draws', () => {
  const logits = new Float32Array([0.5, -1, 1.5, 0, 2.5, -0.5, 1, 3]);
  const options = { temperature: 1.3, topK: 6, seed: 2024 };
  const sampler = createSampler(options);
  const probabilities = distribution(logits, [], checkSamplingOptions(options));
  const draws = 40_000;
  const counts = new Array(logits.length).fill(0);
  const ids: number[] = [];
  for (let n = 0; n < draws; n++) {
    counts[sampler.sample(logits, ids)] += 1;
    ids.push(0);
  }
  let chiSquare = 0;
  counts.forEach((count, id) => {
    if (probabilities[id] === 0) expect(count).toBe(0);
    else chiSquare += (count - draws * probabilities[id]) ** 2 / (draws * probabilities[id]);
  });
  expect(chiSquare).toBeLessThan(20.5); // 5 degrees of freedom, 99.9 %
});

describe('draw', () => {
  const almostOne = 1 - 2 ** -53;

  test('goes through the ids in order', () => {
    const p = new Float64Array([0.25, 0.5, 0.25]);
    expect([0, 0.2499, 0.25, 0.7499, 0.75, almostOne].map(u => draw(p, u))).toEqual([
      0, 0, 1, 1, 2, 2,
    ]);
  });

  test('never gives a token of probability 0 (bug I9)', () => {
    const p = new Float32Array([0, -0, 0.5, 0, 0.5, 0]);
    expect([0, 0.5, almostOne].map(u => draw(p, u))).toEqual([2, 4, 4]);
    const probability = fc.oneof(fc.constant(0), fc.float({ min: 0, max: 1, noNaN: true }));
    const u = fc.oneof(
      fc.constant(0),
      fc.constant(almostOne),
      fc.double({ min: 0, max: almostOne, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(probability), u, (some, u) => {
        const p = Float32Array.from([...some, 0.1, 0]);
        expect(p[draw(p, u)]).toBeGreaterThan(0);
      }),
    );
  });
});

test('argmax takes the first of several', () =>
  expect(argmax(new Float32Array([0, 3, 3]))).toBe(1));

describe('options are refused by name', () => {
  test.each<[string, unknown]>([
    ['temperature', -0.1],
    ['temperature', NaN],
    ['temperature', Infinity],
    ['temperature', '0.7'],
    ['temperature', null],
    ['topK', -1],
    ['topK', 1.5],
    ['topP', -0.1],
    ['topP', 1.01],
    ['topP', NaN],
    ['minP', -0.1],
    ['minP', 2],
    ['repetitionPenalty', 0],
    ['repetitionPenalty', -1],
    ['repetitionPenalty', Infinity],
    ['seed', -1],
    ['seed', 2 ** 53],
    ['seed', 0.5],
  ])('%s %s', (name, value) => {
    const options = { temperature: 1, [name]: value };
    const shown = typeof value === 'string' ? `"${value}"` : String(value);
    expect(() => createSampler(options)).toThrow(
      refused('BAD_OPTION', `${name} is ${shown.replace('.', '\\.')}; it must be`),
    );
  });

  test('an unknown name', () => {
    const misspelt = { temperature: 1, top_p: 0.9 } as SamplingOptions;
    expect(() => createSampler(misspelt)).toThrow(
      refused('BAD_OPTION', '"top_p" is not an option.*topP'),
    );
  });

  test('a filter without a temperature, which greedy decoding would ignore', () => {
    expect(() => createSampler({ topP: 0.9 })).toThrow(
      refused('BAD_OPTION', 'topP', 'set temperature'),
    );
  });

  test('the edges are accepted, and undefined is absent', () => {
    for (const edge of [
      { topP: 0 },
      { topP: 1 },
      { minP: 1 },
      { topK: 0 },
      { seed: 2 ** 53 - 1 },
      { seed: undefined },
    ]) {
      expect(createSampler({ temperature: 1, ...edge }).sample(new Float32Array([0, 90]), [])).toBe(
        1,
      );
    }
  });
});
