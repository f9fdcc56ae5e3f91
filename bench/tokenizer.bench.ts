/** How fast text becomes ids and ids text, with the small tokenizer of golden/. */
import { readFileSync } from 'node:fs';
import { Bench } from 'tinybench';
import { readSentencePieceModel, Tokenizer } from '../src/tokenizer/index.js';
import { medians } from './measure.js';

const LENGTH = 1_000_000;

/**
 * Prints MB/s, where a megabyte is a million characters of ASCII. `modelPath`: another
 * tokenizer.model to measure.
 */
export async function tokenizerBench(
  modelPath = 'golden/tokenizer/tokenizer.model',
): Promise<void> {
  const tokenizer = new Tokenizer(readSentencePieceModel(readFileSync(modelPath)));
  const texts = {
    English: english(),
    'one letter': 'a'.repeat(LENGTH),
    spaces: ' '.repeat(LENGTH),
  };
  const bench = new Bench({ time: 0, iterations: 5, warmupTime: 0, warmupIterations: 1 });
  for (const [name, text] of Object.entries(texts)) {
    const ids = tokenizer.encode(text);
    bench.add(`encode ${name}`, () => {
      tokenizer.encode(text);
    });
    bench.add(`decode ${name}`, () => {
      tokenizer.decode(ids);
    });
  }
  for (const [name, ms] of await medians(bench)) {
    console.log(`${name.padEnd(20)} ${(LENGTH / 1e3 / ms).toFixed(2).padStart(6)} MB/s`);
  }
}

/** Sentences that repeat after hundreds of words, so that no run of merges does. */
function english(): string {
  const words = (
    'the miller finds seven stones in rain and forgets a quiet song under stairs, near the old ' +
    'harbour.'
  ).split(' ');
  let text = '';
  for (let i = 0; text.length < LENGTH; i++) text += `${words[(i * i + (i >> 3)) % words.length]} `;
  return text.slice(0, LENGTH);
}
