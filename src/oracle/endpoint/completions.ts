/**
 * POST /v1/completions of a server of which nothing is known: whether it takes token ids or only
 * texts, and whether it minds fields that it does not have.
 */
import { Refusal } from './connection.js';
import type { Question } from './question.js';
import { TextPrompts } from './text-prompts.js';

interface Form {
  readonly isText: boolean;
  readonly extras: object;
}

/** So that tokens are named by their ids, and not by texts that may be those of several. */
const BY_ID = { return_tokens_as_token_ids: true };

const FORMS: readonly Form[] = [
  { isText: false, extras: BY_ID },
  { isText: false, extras: {} },
  { isText: true, extras: {} },
];

/** Our own server refuses fields that it does not have. */
const OWN_FORMS: readonly Form[] = [{ isText: false, extras: { return_token_ids: true } }];

/** What servers say to a request that they do not understand; some fail. */
const NOT_UNDERSTOOD = [400, 422, 500];

const NO_TEXT = 'nor is there a text that it reads as these tokens';

export class Completions {
  readonly #question: Question;
  readonly #texts: TextPrompts;
  #forms: readonly Form[];
  /** Of token ids that have no text. */
  #refusal: Refusal | undefined;

  constructor(question: Question) {
    this.#question = question;
    this.#texts = new TextPrompts(question);
    this.#forms = question.server.kind === 'llama-32k' ? OWN_FORMS : FORMS;
  }

  /**
   * The answer to `tokens` as the prompt; undefined if it takes only texts, and these are none.
   * @throws {Refusal} the last one, if it takes it in no form
   */
  async ask(tokens: readonly number[], fields: object): Promise<unknown> {
    const { connection, server } = this.#question;
    let refusal: Refusal | undefined;
    for (const form of this.#forms) {
      const prompt = form.isText ? await this.#texts.textOf(tokens) : tokens;
      if (prompt === undefined) {
        this.#refusal ??= refusal;
        return undefined;
      }
      try {
        const body = { model: server.modelName, prompt, ...fields, ...form.extras };
        const answer = await connection.post('/v1/completions', body);
        this.#forms = [form]; // what was understood once will be again
        return answer;
      } catch (error) {
        if (!(error instanceof Refusal) || !NOT_UNDERSTOOD.includes(error.status)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  /** Why nothing could be asked, if it is for want of a text. */
  get refusal(): Refusal | undefined {
    const refusal = this.#refusal;
    return refusal && new Refusal(refusal.status, `${refusal.message}; ${NO_TEXT}`);
  }

  notes(): string[] {
    const [{ isText }] = this.#forms;
    if (!isText) return [];
    const unchecked = this.#texts.isChecked ? '' : ', which it cannot be asked to tokenize';
    return [`it takes no token ids: it was given their text${unchecked}`];
  }
}
