/** A model and a tokenizer without weights, for what happens around them. */

import type { Tensor } from '../../src/base/tensor.js';
import type { GenerateTokenizer } from '../../src/text/generate.js';
import type { GenerateModel } from '../../src/text/pass.js';
import { uniform } from '../../src/text/sampling/philox.js';
import type { CachedPositions } from '../../src/text/token-sequence.js';

export const BOS = 1;
export const EOS = 2;
const FIRST_BYTE = 3;
const BYTES = 256 + FIRST_BYTE;

export const bytesOf = (text: string): number[] =>
  Array.from(new TextEncoder().encode(text), byte => byte + FIRST_BYTE);

/** One token per UTF-8 byte, after <unk>, <s> and </s>. */
export const byteTokenizer: GenerateTokenizer = {
  vocabSize: BYTES,
  encode: (text, { bos }) => [...(bos ? [BOS] : []), ...bytesOf(text)],
  streamDecoder() {
    const decoder = new TextDecoder();
    return {
      push: id =>
        id < FIRST_BYTE ? '' : decoder.decode(Uint8Array.of(id - FIRST_BYTE), { stream: true }),
      flush: () => decoder.decode(),
    };
  },
};

class FakeSequence implements CachedPositions {
  readonly tokens: number[] = [];
  disposed = false;

  get length(): number {
    return this.tokens.length;
  }

  truncate(length: number): void {
    this.tokens.length = length;
  }

  dispose(): void {
    this.disposed = true;
  }
}

/** Gives `logitsAfter(tokens)`, [V], and remembers what it was asked for. */
export class FakeModel implements GenerateModel {
  readonly config;
  readonly sequences: FakeSequence[] = [];
  readonly rowsPerPass: number[] = [];
  readonly logitsFor: number[] = [];
  readonly #logitsAfter: (tokens: readonly number[]) => Float32Array;

  constructor(
    logitsAfter: (tokens: readonly number[]) => Float32Array,
    maxPositionEmbeddings = 64,
    vocabSize = BYTES,
  ) {
    this.config = { vocabSize, maxPositionEmbeddings, eosTokenIds: [EOS], bosTokenId: BOS };
    this.#logitsAfter = logitsAfter;
  }

  createSequence(): CachedPositions {
    this.sequences.push(new FakeSequence());
    return this.sequences.at(-1)!;
  }

  async forward(...[rows, { logitsFor }]: Parameters<GenerateModel['forward']>): Promise<Tensor> {
    if (rows.some(({ sequence }) => (sequence as FakeSequence).disposed))
      throw new Error('this sequence was disposed');
    for (const { token, position, sequence } of rows) {
      const { tokens } = sequence as FakeSequence;
      if (position !== tokens.length) throw new Error(`position ${position} is out of turn`);
      tokens.push(token);
    }
    this.rowsPerPass.push(rows.length);
    this.logitsFor.push(...logitsFor.map(index => index - rows.length));
    const { vocabSize } = this.config;
    const data = new Float32Array(logitsFor.length * vocabSize);
    for (const [i, row] of logitsFor.entries()) {
      const { tokens } = rows[row].sequence as FakeSequence;
      data.set(this.#logitsAfter(tokens.slice(0, rows[row].position + 1)), i * vocabSize);
    }
    return { shape: [logitsFor.length, vocabSize], data };
  }
}

/**
 * Always continues a prompt with the tokens of `output`, then with end of text: 5 for that token, 0
 * for all others.
 */
export function saying(
  output: string | readonly number[],
  promptTokens: number,
  maxPositionEmbeddings?: number,
  vocabSize = BYTES,
): FakeModel {
  const script = typeof output === 'string' ? bytesOf(output) : output;
  const logitsAfter = (tokens: readonly number[]) => {
    const logits = new Float32Array(vocabSize);
    logits[script[tokens.length - promptTokens] ?? EOS] = 5;
    return logits;
  };
  return new FakeModel(logitsAfter, maxPositionEmbeddings, vocabSize);
}

/** Logits that look random and depend on every token so far. */
export const babbling = (): FakeModel =>
  new FakeModel(tokens => {
    const seed = tokens.reduce((hash, token) => (hash * 31 + token) % 2 ** 32, 7);
    return Float32Array.from({ length: BYTES }, (_, id) =>
      id < FIRST_BYTE ? -9 : 4 * uniform(seed, id),
    );
  });
