/**
 * Philox4x32-10: random numbers without a state (Salmon, Moraes, Dror, Shaw, "Parallel Random
 * Numbers: As Easy as 1, 2, 3", SC 2011, §3.3 and table 2).
 *
 *     ten rounds of       (c0, c1, c2, c3) ← (hi(M1·c2) ⊕ c1 ⊕ k0,  lo(M1·c2),
 *                                             hi(M0·c0) ⊕ c3 ⊕ k1,  lo(M0·c0))
 *     and between rounds  (k0, k1) ← (k0 + W0, k1 + W1)
 *
 * The n-th number of a seed is a function of (seed, n) and of nothing else: what a text gets does
 * not depend on which other texts are in the batch, or on how often anybody drew before.
 *
 * Not here: the generator of `torch.multinomial`. The same seed gives other tokens in transformers,
 * from the same distribution.
 */

const M0 = 0xd2511f53n;
const M1 = 0xcd9e8d57n;
const W0 = 0x9e3779b9; // the golden ratio
const W1 = 0xbb67ae85; // √3 − 1
const ROUNDS = 10;
const TWO_32 = 2 ** 32;

export type FourWords = readonly [number, number, number, number];
export type TwoWords = readonly [number, number];

/** Four random 32-bit words for a counter of four and a key of two. */
export function philox4x32(counter: FourWords, key: TwoWords): FourWords {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const a = M0 * BigInt(c0);
    const b = M1 * BigInt(c2);
    [c0, c1, c2, c3] = [(high(b) ^ c1 ^ k0) >>> 0, low(b), (high(a) ^ c3 ^ k1) >>> 0, low(a)];
    [k0, k1] = [(k0 + W0) >>> 0, (k1 + W1) >>> 0];
  }
  return [c0, c1, c2, c3];
}

const high = (product: bigint): number => Number(product >> 32n);
const low = (product: bigint): number => Number(BigInt.asUintN(32, product));

/**
 * The `n`-th number of `seed`, uniform over the multiples of 2^−53 in [0, 1). Both are integers, 0
 * … 2^53 − 1.
 */
export function uniform(seed: number, n: number): number {
  const [a, b] = philox4x32([...words(n), 0, 0], words(seed));
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
}

/** An integer below 2^53 as [low word, high word]. */
const words = (value: number): TwoWords => [value % TWO_32, Math.floor(value / TWO_32)];

/** A seed nobody chose: 53 bits from the system. */
export function randomSeed(): number {
  const [a, b] = crypto.getRandomValues(new Uint32Array(2));
  return (a >>> 11) * TWO_32 + b;
}
