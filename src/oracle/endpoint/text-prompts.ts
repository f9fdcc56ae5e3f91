/** Texts in the place of tokens, for servers that take only texts. */
import { type Connection, Refusal } from './connection.js';
import { listAt } from './json-path.js';
import type { Question } from './question.js';

/** Where servers say which tokens a text is to them: vLLM's and our way, llama-cpp-python's. */
const TOKENIZERS: readonly { readonly path: string; readonly field: string }[] = [
  { path: '/tokenize', field: 'prompt' },
  { path: '/extras/tokenize', field: 'input' },
];

export class TextPrompts {
  readonly #question: Question;
  /** Those not yet known to be missing. */
  #tokenizers = TOKENIZERS;
  /** Whether the server has told of every text which tokens it is. */
  isChecked = true;

  constructor(question: Question) {
    this.#question = question;
  }

  /** The text that the server reads as `tokens`; undefined if there is none. */
  async textOf(tokens: readonly number[]): Promise<string | undefined> {
    const text = this.#question.textOf(tokens);
    if (text === undefined || text === '') return undefined;
    const read = await this.#tokensOf(text);
    if (read === undefined) this.isChecked = false;
    const isSame = read === undefined || isEqual(read, tokens);
    return isSame ? text : undefined;
  }

  async #tokensOf(text: string): Promise<readonly unknown[] | undefined> {
    const { connection, server } = this.#question;
    while (this.#tokenizers.length > 0) {
      const [{ path, field }] = this.#tokenizers;
      const tokens = await tokenize(connection, path, { model: server.modelName, [field]: text });
      if (tokens !== undefined) return tokens;
      this.#tokenizers = this.#tokenizers.slice(1);
    }
    return undefined;
  }
}

async function tokenize(connection: Connection, path: string, body: object) {
  try {
    return listAt(await connection.post(path, body), 'tokens');
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

const isEqual = (read: readonly unknown[], tokens: readonly number[]): boolean =>
  read.length === tokens.length && tokens.every((token, i) => token === read[i]);
