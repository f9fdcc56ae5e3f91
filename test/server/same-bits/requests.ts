/** Sixty-four requests of mixed kinds, eight of each. */
import fc from 'fast-check';
import type { Json } from '../support.js';

export interface Asked {
  readonly body: Json;
  /** After so many events its client goes away. */
  readonly leavesAfter?: number;
  /** After such a time its client goes away; what it was told by then is nobody's concern. */
  readonly milliseconds?: number;
}

/** Few beginnings, so that many have some pages in common; and periods, so that they repeat. */
const prompt = fc
  .tuple(
    fc.constantFrom(3, 5, 40),
    fc.constantFrom(1, 63, 64, 65, 130, 200),
    fc.constantFrom(0, 1, 2, 30),
  )
  .map(([period, length, end]) => [
    ...Array.from({ length }, (_, i) => 300 + (i % period)),
    ...Array<number>(end).fill(400 + end),
  ]);

const greedy = fc.constant({ temperature: 0 });
const seeded = fc.record({ temperature: fc.constantFrom(0.3, 1, 2), seed: fc.nat(9) });
const short = fc.record({ max_tokens: fc.integer({ min: 1, max: 4 }) });
const long = fc.record({ max_tokens: fc.integer({ min: 12, max: 24 }) });
const scored = fc.record({ logprobs: fc.constantFrom(0, 2) });
/** Texts that say the same again, though they are drawn. */
const stammering = fc.constantFrom({}, { logit_bias: { 300: 9, 301: 7 } });
const user = fc.record({ user: fc.constantFrom('a', 'b') });

const asking = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<Asked> =>
  fc.tuple(prompt, ...parts).map(([prompt, ...fields]) => ({
    body: Object.assign({ prompt, return_token_ids: true }, ...fields),
  }));

const KINDS: Readonly<Record<string, fc.Arbitrary<Asked>>> = {
  'greedy, short': asking(greedy, short, scored, user),
  'greedy, long': asking(greedy, long, scored, user),
  'seeded, short': asking(seeded, short, scored, user),
  'seeded, long': asking(seeded, long, scored, stammering),
  'of two choices': asking(seeded, long, scored, fc.constant({ n: 2, repetition_penalty: 1.1 })),
  echo: asking(greedy, fc.constant({ echo: true, logprobs: 0, max_tokens: 0 })),
  'cancelled half way': asking(seeded, long, scored, stammering).map(({ body }) => ({
    body: { ...body, stream: true },
    leavesAfter: Math.ceil(body.max_tokens / 2),
  })),
  'given up at any time': fc
    .tuple(asking(seeded, long, stammering), fc.nat(9))
    .map(([asked, milliseconds]) => ({ ...asked, milliseconds })),
};
const OF_EACH = 8;
export const REQUESTS = OF_EACH * Object.keys(KINDS).length;

export const mixedRequests: fc.Arbitrary<Asked[]> = fc.tuple(
  ...Object.values(KINDS).flatMap(kind => Array.from({ length: OF_EACH }, () => kind)),
);
