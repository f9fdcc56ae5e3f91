/**
 * How far exp32 is from e^x, over every float32 there is: the figures quoted in `src/ops/exp32.ts`.
 * Takes some ten minutes.
 */
import { exp } from '../src/ops/exp.js';
import { exp32 } from '../src/ops/exp32.js';

const float = new Float32Array(2);
const bits = new Int32Array(float.buffer);

let error = 0;
let worst = 0;
let inexact = 0;
let farthest = 0;
for (let pattern = 0; pattern < 2 ** 32; pattern++) {
  bits[0] = pattern;
  const x = float[0];
  const result = exp32(x);
  if (Number.isNaN(x)) {
    if (!Number.isNaN(result)) throw new Error('NaN was lost');
    continue;
  }
  const truth = exp(x);
  float[0] = result; // no result is negative: bits are in the order of the numbers
  float[1] = truth;
  const distance = Math.abs(bits[0] - bits[1]);
  if (distance > 0) inexact++;
  farthest = Math.max(farthest, distance);
  if (float[1] === Infinity) continue;
  const ulp = 2 ** (Math.max(bits[1] >> 23, 1) - 150);
  const e = Math.abs(result - truth) / ulp;
  if (e > error) [error, worst] = [e, x];
}
console.log(`exp32: at most ${error.toFixed(3)} ulp from e^x (worst: ${worst})`);
console.log(
  `not the nearest float32: ${inexact.toLocaleString('en')} of 2^32; the farthest is ` +
    `${farthest} away`,
);
