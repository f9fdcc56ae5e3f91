/** How fast text becomes ids and ids text, with small tokenizers of golden/, one of each kind. */
import { readFileSync } from 'node:fs';
import { Bench } from 'tinybench';
import { openTokenizerModel } from '../src/load/tokenizer.js';
import {
  readSentencePieceModel,
  readTokenizerJson,
  Tokenizer,
  type TokenizerModel,
} from '../src/tokenizer/index.js';
import { medians } from './measure.js';

const LENGTH = 1_000_000;

const OWN = ['golden/tokenizer/tokenizer.model', 'golden/byte-level/llama3.json'];

/**
 * Prints MB/s, where a megabyte is a million characters of ASCII. `path`: another tokenizer.model,
 * tokenizer.json, directory or GGUF file to measure.
 */
export async function tokenizerBench(path?: string): Promise<void> {
  for (const each of path === undefined ? OWN : [path]) {
    console.log(each);
    await measure(new Tokenizer(await readModel(each)));
  }
}

async function readModel(path: string): Promise<TokenizerModel> {
  if (path.endsWith('.model')) return readSentencePieceModel(readFileSync(path));
  if (path.endsWith('.json')) return readTokenizerJson(readFileSync(path, 'utf8'));
  return openTokenizerModel(path);
}

async function measure(tokenizer: Tokenizer): Promise<void> {
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
