/** JSON as a constraint on tokens. */
import { check, LlamaError } from '../../base/errors.js';
import { Recent } from '../../base/recent.js';
import type { TokenConstraint } from '../sampling/constraint.js';
import type { State } from './automaton/automaton.js';
import type { Expression } from './automaton/expression.js';
import { type JsonGrammar, jsonGrammar } from './json-grammar.js';
import { applyMask, computeMask, type TokenMask } from './tokens/token-mask.js';
import { type ByteTokenizer, type TokenTrie, tokenTrieOf } from './tokens/token-trie.js';

/**
 * Holds a text to JSON of a schema, a JSON Schema as docs/structured-output.md has it; without one,
 * to any JSON object. The same constraint can be given to many texts, which then share what was
 * found out about the schema.
 *
 * @throws {LlamaError} BAD_OPTION for a schema that is wrong, or has a keyword that is not
 * supported; the message names it and where it stands
 */
export function jsonConstraint(
  tokenizer: ByteTokenizer,
  schema: unknown = { type: 'object' },
): TokenConstraint {
  const grammar = jsonGrammar(schema);
  return new JsonConstraint(new TokenMasks(grammar, tokenTrieOf(tokenizer)), grammar.start);
}

/** So many masks are kept, those used last: 2 MB for 32,000 tokens. */
const MOST_MASKS = 512;

/** The tokens of one vocabulary in one grammar. */
class TokenMasks {
  readonly trie: TokenTrie;
  readonly #grammar: JsonGrammar;
  readonly #masks = new Recent<Expression, TokenMask>(MOST_MASKS);

  constructor(grammar: JsonGrammar, trie: TokenTrie) {
    this.#grammar = grammar;
    this.trie = trie;
  }

  stateOf(expression: Expression): State {
    return this.#grammar.automaton.stateOf(expression);
  }

  of(expression: Expression): TokenMask {
    return this.#masks.of(expression, () => computeMask(this.trie, this.stateOf(expression)));
  }
}

class JsonConstraint implements TokenConstraint {
  readonly #masks: TokenMasks;
  /** What may still come. */
  #rest: Expression;

  constructor(masks: TokenMasks, rest: Expression) {
    this.#masks = masks;
    this.#rest = rest;
  }

  get isComplete(): boolean {
    return this.#rest.isNullable;
  }

  forbid(scores: Float32Array): void {
    const isAnyLeft = applyMask(scores, this.#masks.of(this.#rest));
    check(isAnyLeft || this.isComplete, 'UNSUPPORTED', () => {
      return (
        'no token of the vocabulary can go on with the JSON, which is not complete: it needs one ' +
        'for every byte'
      );
    });
  }

  advance(token: number): void {
    const bytes = this.#masks.trie.bytesOf(token);
    let state: State | undefined = this.#masks.stateOf(this.#rest);
    for (const byte of bytes) state = state?.next(byte);
    if (state === undefined || bytes.length === 0)
      throw new LlamaError('BAD_INPUT', `token ${token} cannot come next in the JSON`);
    this.#rest = state.expression;
  }

  fork(): TokenConstraint {
    return new JsonConstraint(this.#masks, this.#rest);
  }
}
