/**
 * The time to the first token of an answer about a long document: the first question, a second one,
 * and a third after a restart, when keys and values come from the disk.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServedModel } from '../served.js';
import { firstToken } from './stream.js';

/** Made up: what tokens are makes no difference to the speed. The first ids are special. */
export const madeUp = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => 300 + ((seed + i * 7919) % 30_000));

const QUESTION_TOKENS = 24;

export async function measureDocuments(model: readonly string[], tokens: number) {
  const folder = await mkdtemp(join(tmpdir(), 'llama-32k-serving-'));
  const args = [...model, '--cache-dir', folder];
  const document = madeUp(tokens, 0);
  const ask = ({ url }: ServedModel, question: number) =>
    firstToken(url, [...document, ...madeUp(QUESTION_TOKENS, 1000 * question)]);
  try {
    const first = await ServedModel.start(args);
    const alone = await firstToken(first.url, madeUp(QUESTION_TOKENS, 5));
    const cold = await ask(first, 1);
    const warm = await ask(first, 2);
    await first.stop(); // what is to be kept is written by then
    const [reading, bytes] = await readAll(folder);
    const second = await ServedModel.start(args);
    await firstToken(second.url, madeUp(QUESTION_TOKENS, 6)); // weights come into memory
    const restarted = await ask(second, 3);
    await second.stop();
    const overReading = (restarted - warm) / reading;
    return {
      questionAloneMs: alone,
      coldMs: cold,
      warmMs: warm,
      restartedMs: restarted,
      megabytesOnDisk: bytes / 1e6,
      readingThemMs: reading,
      overReading,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Milliseconds that it takes to read all files of `folder`, and their bytes. */
async function readAll(folder: string): Promise<[milliseconds: number, bytes: number]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  let bytes = 0;
  const start = performance.now();
  for (const entry of names.filter(each => each.isFile()))
    bytes += (await readFile(join(entry.parentPath, entry.name))).length;
  return [performance.now() - start, bytes];
}
