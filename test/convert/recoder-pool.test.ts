/**
 * Threads that convert; what they convert to is in `quantize.test.ts` and `convert.test.ts`. Uses
 * dist, which `npm test` builds.
 */
import { afterEach, expect, it } from 'vitest';
import { RecoderPool } from '../../src/convert/recoder-pool.js';
import { encode } from '../../src/files/dtypes.js';
import { expectRefused } from '../files/helpers.js';

let pool: RecoderPool;
afterEach(() => pool.close());

it('what is asked for at once is answered, each with its own', async () => {
  pool = new RecoderPool(3);
  const numbers = Array.from({ length: 20 }, (_, i) => Float32Array.of(i, -i, i / 3));
  const answers = await Promise.all(numbers.map(x => pool.recode(encode('F32', x), 'F32', 'BF16')));
  expect(answers).toEqual(numbers.map(x => encode('BF16', x)));
});

it('leaves alone a buffer of which it gets only a part', async () => {
  pool = new RecoderPool(2);
  const bytes = encode('F32', Float32Array.of(1, 2, 3, 4));
  expect(await pool.recode(bytes.subarray(4, 12), 'F32', 'F16')).toEqual(
    encode('F16', Float32Array.of(2, 3)),
  );
  expect(bytes).toEqual(encode('F32', Float32Array.of(1, 2, 3, 4)));
});

it('what is wrong with a number is told with its code, and the thread goes on', async () => {
  pool = new RecoderPool(2);
  const recode = (x: number) => pool.recode(encode('F32', Float32Array.of(x)), 'F32', 'F16');
  await expectRefused(recode(1e6), 'NOT_FINITE', '1000000', 'F16');
  for (const x of [1, 2, 3]) expect(await recode(x)).toEqual(encode('F16', Float32Array.of(x)));
});

it('a thread that dies says so, and so do all pieces that were or are given to it', async () => {
  pool = new RecoderPool(2);
  // not a whole block: a mistake of the caller
  const broken = () => pool.recode(new Uint8Array(4), 'F32', 'Q8_0');
  const answers = [broken(), broken(), broken()];
  await Promise.all(
    answers.map(answer => expectRefused(answer, 'WORKER_FAILED', 'not a multiple of 32')),
  );
  await expectRefused(broken(), 'WORKER_FAILED', 'start again');
});

it('closed before it was needed, it was never there', async () => {
  pool = new RecoderPool(64);
  // widening needs no thread
  expect(await pool.recode(new Uint8Array(2), 'F16', 'F32')).toEqual(new Uint8Array(4));
});
