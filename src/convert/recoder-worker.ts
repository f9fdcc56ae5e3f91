/**
 * One thread of a `RecoderPool`: bytes of one number format in, of another one out, a piece after
 * the other.
 */

import { parentPort } from 'node:worker_threads';
import { LlamaError } from '../base/errors.js';
import { decodeNumbers, encodeNumbers } from '../files/rows.js';
import type { RecodeAnswer, RecodeJob } from './recoder-pool.js';

parentPort?.on('message', (job: RecodeJob) => {
  const answer = answerTo(job);
  parentPort?.postMessage(answer, 'bytes' in answer ? [answer.bytes.buffer as ArrayBuffer] : []);
});

function answerTo({ bytes, from, to }: RecodeJob): RecodeAnswer {
  try {
    return { bytes: encodeNumbers(to, decodeNumbers(from, bytes)) };
  } catch (error) {
    if (error instanceof LlamaError) return { code: error.code, message: error.message };
    throw error; // ends the thread, and is told as WORKER_FAILED
  }
}
