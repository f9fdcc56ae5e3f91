/**
 * What JSON a text may be: the language of a schema, as an automaton over bytes.
 *
 *     schema → values (`schema/`) → expressions (`values/`, `json/`) → automaton (`automaton/`)
 *       → which tokens can come next (`tokens/`)
 *
 * Not every text of JSON that a schema allows is written. Spaces: one where Python's json.dumps
 * writes one, inside of brackets, and in front of all; no newlines. Properties come in the order of
 * the schema. Where a string is held to more than its length, and in names of properties, a
 * character is spelled as JSON.stringify spells it.
 */
import { Automaton } from './automaton/automaton.js';
import { type Expression, Language } from './automaton/expression.js';
import { punctuation } from './json/strings.js';
import { readSchema } from './schema/read-schema.js';
import { badSchema } from './schema/schema.js';
import { findCircle, heightsOf } from './values/height.js';
import { MOST_LEVELS, ValueWriter } from './values/write-value.js';

/** A language, where its texts begin, and the automaton that reads them. */
export interface JsonGrammar {
  readonly automaton: Automaton;
  readonly start: Expression;
}

/**
 * The texts that `schema`, a JSON Schema, allows.
 *
 * @throws {LlamaError} BAD_OPTION, naming the keyword that is not supported or cannot be held to,
 * and where it stands
 */
export function jsonGrammar(schema: unknown): JsonGrammar {
  const language = new Language();
  const automaton = new Automaton(language);
  const { root, pointers } = readSchema(schema, { language, automaton });
  const heights = heightsOf(root);
  const circle = findCircle(heights.keys());
  if (circle !== undefined) {
    const at = pointers.get(circle) ?? '#';
    throw badSchema(at, 'it is itself, by references with no array or object between');
  }
  const height = heights.get(root)!;
  if (height === Infinity) throw badSchema('#', 'no value is allowed: what it needs is ruled out');
  if (height > MOST_LEVELS)
    throw badSchema('#', `it needs ${height} levels of arrays and objects, over ${MOST_LEVELS}`);
  const value = new ValueWriter(language, heights).write(root);
  return { automaton, start: language.sequence(punctuation(language).space, value) };
}
