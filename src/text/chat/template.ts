/**
 * Chat templates: Jinja programs that make one text of a conversation, published with a model. What
 * they are given, and how white space around their tags is read, is what transformers'
 * `apply_chat_template` does; the language itself is @huggingface/jinja's.
 */

import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { LlamaError, show } from '../../base/errors.js';
import type { Message } from '../prompt.js';
import { GLOBALS } from './globals.js';
import { usePythonStrip } from './strip.js';

/** transformers': a tag takes the white space before it in its line, and a newline behind it. */
const WHITE_SPACE = { trim_blocks: true, lstrip_blocks: true };

const NEXT_STEP = 'give --chat-template card, or the name of a file with another template';

/**
 * A chat template in Jinja, as tokenizer_config.json, chat_template.jinja or a GGUF file has it.
 */
export class ChatTemplate {
  readonly source: string;
  /** What the template can write itself: its text, and the strings in its expressions. */
  readonly literals: ReadonlySet<string>;
  readonly #program: ReturnType<typeof parse>;

  /**
   * @param source the template; its line ends may be those of any system
   * @throws {LlamaError} UNSUPPORTED if it is not a template, or needs of Jinja what is not there.
   */
  constructor(source: string) {
    this.source = source;
    try {
      this.#program = parse(tokenize(source.replace(/\r\n?/g, '\n'), WHITE_SPACE));
    } catch (error) {
      throw unsupported('cannot be read', error);
    }
    this.literals = literalsOf(this.#program);
    usePythonStrip(this.#program);
  }

  /**
   * The text of `messages`, to be continued with the assistant's reply if `addGenerationPrompt`.
   *
   * @param specialTokens by the names of templates, such as `bos_token`
   * @throws {LlamaError} BAD_INPUT, with the template's own words, if it refuses the conversation;
   * UNSUPPORTED if it needs of Jinja what is not there.
   */
  render(
    messages: readonly Message[],
    specialTokens: Readonly<Record<string, string>>,
    addGenerationPrompt = true,
  ): string {
    const variables = {
      ...GLOBALS,
      ...specialTokens,
      messages: messages.map(({ role, content }) => ({ role, content })),
      tools: null,
      documents: null,
      add_generation_prompt: addGenerationPrompt,
    };
    try {
      const environment = new Environment();
      for (const [name, value] of Object.entries(variables)) environment.set(name, value);
      return new Interpreter(environment).run(this.#program).toString();
    } catch (error) {
      throw error instanceof LlamaError ? error : unsupported('cannot be run', error);
    }
  }
}

function unsupported(what: string, cause: unknown): LlamaError {
  const reason = show(cause instanceof Error ? cause.message : cause);
  return new LlamaError('UNSUPPORTED', `the chat template ${what}: ${reason}; ${NEXT_STEP}`, {
    cause,
  });
}

/** The values of all string literals in the syntax tree below `node`. */
function literalsOf(node: unknown, found = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return found;
  const { type, value } = node as { type?: unknown; value?: unknown };
  if (type === 'StringLiteral') found.add(value as string);
  const children = node instanceof Map ? [...node.entries()].flat() : Object.values(node);
  for (const child of children) literalsOf(child, found);
  return found;
}
