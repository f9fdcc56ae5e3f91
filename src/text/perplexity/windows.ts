/**
 * How a text is cut for its perplexity, in one of three ways that are in use. Each window is read
 * by itself, from position 0, and scores its last tokens only: those before them are what the model
 * has to go by.
 *
 * Chunks, as llama-perplexity has them (llama.cpp, tools/perplexity): they do not overlap, and each
 * scores what comes after its first half.
 *
 *     |······####|······####|······####|        context 10: 4 of 10 tokens are scored
 *
 * Sliding, as Hugging Face's guide has it (transformers, "Perplexity of fixed-length models"): a
 * window begins `stride` tokens after the one before, and scores what that one did not reach, so
 * that every token but the first is scored, once. (With a stride as long as the window nothing is
 * read twice, and the first token of each is not scored, as it is not there.)
 *
 *     |·#########|
 *         |······####|                          context 10, stride 4
 *             |······####|
 *
 * Overlapping, llama-perplexity's --ppl-stride: windows of context + stride/2 tokens, of which each
 * scores its last `stride`. What comes before them in the first window, and what the last one does
 * not reach, is not scored.
 */
import { check, LlamaError } from '../../base/errors.js';

/** A stretch of a text that the model reads by itself. Numbers count the text's tokens, from 0. */
export interface Window {
  readonly start: number;
  /** One more than its last token. */
  readonly end: number;
  /** The first token that is scored; all after it are. */
  readonly firstScored: number;
}

/** Which way, by which of the strides is given. */
export interface Cut {
  readonly ctxSize: number;
  readonly stride?: number | undefined;
  readonly pplStride?: number | undefined;
}

/** Tokens of a window, at most. */
export const windowLength = ({ ctxSize, pplStride = 0 }: Cut): number =>
  ctxSize + Math.floor(pplStride / 2);

/**
 * The windows of a text of `count` tokens, the first one first.
 * @throws {LlamaError} BAD_INPUT if the text is too short for them.
 */
export function cutText(count: number, cut: Cut): Window[] {
  if (cut.stride !== undefined) return slidingWindows(count, cut.ctxSize, cut.stride);
  checkLength(count, cut);
  const length = windowLength(cut);
  if (cut.pplStride !== undefined) return overlappingWindows(count, length, cut.pplStride);
  return chunks(count, length);
}

function chunks(count: number, length: number): Window[] {
  return Array.from({ length: Math.floor(count / length) }, (_, i) => {
    const start = i * length;
    return { start, end: start + length, firstScored: start + Math.floor(length / 2) + 1 };
  });
}

function slidingWindows(count: number, length: number, stride: number): Window[] {
  check(count >= 2, 'BAD_INPUT', () => {
    return `the text has ${count} tokens; the first has nothing to go by, so give it 2 at least`;
  });
  const windows: Window[] = [];
  let reached = 0;
  for (let start = 0; reached < count; start += stride) {
    const end = Math.min(start + length, count);
    // A window's first token has nothing before it.
    const firstScored = Math.max(reached, start + 1);
    if (firstScored < end) windows.push({ start, end, firstScored });
    reached = end;
  }
  return windows;
}

function overlappingWindows(count: number, length: number, stride: number): Window[] {
  return Array.from({ length: Math.ceil((count - length) / stride) }, (_, i) => {
    const end = i * stride + length;
    return { start: i * stride, end, firstScored: end - stride };
  });
}

/** As llama-perplexity has it: room for two windows. */
function checkLength(count: number, cut: Cut): void {
  const length = windowLength(cut);
  if (count >= 2 * length) return;
  const most = Math.floor(count / 2) - Math.floor((cut.pplStride ?? 0) / 2);
  const lower = most < MIN_CTX_SIZE ? '' : `, or a ctxSize of at most ${most}`;
  throw new LlamaError(
    'BAD_INPUT',
    `the text has ${count} tokens; for chunks of ${length} it must have ${2 * length} at least, ` +
      `two chunks: give a longer text${lower}`,
    { option: 'ctxSize' },
  );
}

/** Of fewer tokens the second half has nothing to score. */
export const MIN_CTX_SIZE = 3;
