/**
 * Random numbers for roundings: many millions, and the same for the same seed.
 *
 * SFC32 (Chris Doty-Humphrey's Small Fast Counting generator, PractRand), with 32-bit arithmetic
 * that JavaScript has; `text/sampling/philox.ts` is for draws that must be found by their number.
 */

export type Random = () => number;

/** Uniform in [0, 1), a new number each time. */
export function randomFrom(seed: number): Random {
  let [a, b, c, counter] = [0, seed | 0, Math.floor(seed / 2 ** 32) | 0, 1];
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** One of `choices`. */
export const choose = <T>(random: Random, choices: readonly T[]): T =>
  choices[Math.floor(random() * choices.length)];
