/** One thread of an `EncoderPool`: numbers in, bytes of a number format out, one piece after the other. */

import { parentPort } from 'node:worker_threads';
import { encodeNumbers } from '../checkpoint/rows.js';
import { LlamaError } from '../errors.js';
import type { EncodeAnswer, EncodeJob } from './encoder-pool.js';

parentPort?.on('message', ({ dtype, numbers }: EncodeJob) => {
  const answer = encoded({ dtype, numbers });
  parentPort?.postMessage(answer, 'bytes' in answer ? [answer.bytes.buffer as ArrayBuffer] : []);
});

function encoded({ dtype, numbers }: EncodeJob): EncodeAnswer {
  try {
    return { bytes: encodeNumbers(dtype, numbers) };
  } catch (error) {
    if (error instanceof LlamaError) return { code: error.code, message: error.message };
    throw error; // ends the thread, and is told as WORKER_FAILED
  }
}
