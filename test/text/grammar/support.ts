/** Vocabularies, and walks under a mask. */
import { existsSync, readFileSync } from 'node:fs';
import { jsonGrammar } from '../../../src/text/grammar/json-grammar.js';
import type { TokenConstraint } from '../../../src/text/sampling/constraint.js';
import {
  readSentencePieceModel,
  readTokenizerJson,
  Tokenizer,
} from '../../../src/tokenizer/index.js';
import { goldenPath } from '../../support/golden.js';
import { fromModel } from '../../tokenizer/support.js';
import type { Random } from './random-schemas.js';

const sentencePiece = (path: string) => new Tokenizer(readSentencePieceModel(readFileSync(path)));

export const tiny32k = sentencePiece(goldenPath('tiny-32k/tokenizer.model'));
export const byteLevel = new Tokenizer(
  readTokenizerJson(readFileSync(goldenPath('byte-level/gpt2.json'), 'utf8')),
);

/** SentencePiece with a piece for every byte, and pieces of bytes. */
export const VOCABULARIES = {
  'golden/tokenizer': fromModel,
  'tiny-32k': tiny32k,
  gpt2: byteLevel,
};

const LLAMA_2 = '../shared/tokenizers/llama2/tokenizer.model';
/** The vocabulary of 32,000 tokens, if it is there. */
export const llama2 = existsSync(LLAMA_2) ? sentencePiece(LLAMA_2) : undefined;

/** Whether `text` is one that the schema allows. */
export function accepts(schema: unknown, text: string): boolean {
  const { automaton, start } = jsonGrammar(schema);
  let state: ReturnType<typeof automaton.stateOf> | undefined = automaton.stateOf(start);
  for (const byte of new TextEncoder().encode(text)) state = state?.next(byte);
  return state?.isComplete === true;
}

/** The tokens that can come next. */
export function allowed(constraint: TokenConstraint, vocabSize: number): number[] {
  const scores = new Float32Array(vocabSize);
  constraint.forbid(scores);
  return [...scores.keys()].filter(id => scores[id] === 0);
}

const BYTES = new TextEncoder();
/** Tokens that lead to an end, in a string (with a pattern, too) and elsewhere; best first. */
const ENDS = {
  inside: [...['"', 'é'].map(text => BYTES.encode(text)), Uint8Array.of(0xc3), Uint8Array.of(0xa9)],
  outside: Array.from('}]"0', text => BYTES.encode(text)),
};

/**
 * A text of tokens that are drawn from those that can come next, at first from all, after `most`
 * of them from those that lead to an end.
 */
export function walk(
  constraint: TokenConstraint,
  tokenizer: Tokenizer,
  random: Random,
  most = 40,
): number[] {
  const ids: number[] = [];
  const bytes: number[] = [];
  for (;;) {
    const next = allowed(constraint, tokenizer.vocabSize);
    const isEnough = ids.length > most || random(4) === 0;
    if (constraint.isComplete && (next.length === 0 || isEnough)) return ids;
    if (ids.length > most + 500) throw new Error('the walk has no end');
    const id = choose(next, tokenizer, bytes, ids.length > most, random);
    constraint.advance(id);
    ids.push(id);
    bytes.push(...tokenizer.bytesOf(id));
  }
}

function choose(
  next: readonly number[],
  tokenizer: Tokenizer,
  bytes: readonly number[],
  isEnding: boolean,
  random: Random,
): number {
  if (isEnding) {
    const ends = isInString(bytes) ? ENDS.inside : ENDS.outside;
    for (const end of ends) {
      const id = next.find(each => String(tokenizer.bytesOf(each)) === String(end));
      if (id !== undefined) return id;
    }
  }
  return next[random(next.length)];
}

function isInString(bytes: readonly number[]): boolean {
  let isInside = false;
  for (let i = 0; i < bytes.length; i++) {
    if (isInside && bytes[i] === 0x5c) i++;
    else if (bytes[i] === 0x22) isInside = !isInside;
  }
  return isInside;
}
