/**
 * Values as languages: all their texts. Arrays and objects are in each other at most `MOST_LEVELS`
 * deep. What has no room left is not begun: a choice that needs more levels than there are is not
 * there, nor is a property, and an array ends. So every text can be completed.
 */
import { type Expression, type Language, NEVER } from '../automaton/expression.js';
import { otherNames, punctuation } from '../json/strings.js';
import type { ArrayValue, ObjectValue, Property, Value } from './value.js';

/** Arrays and objects in each other, the outermost included. */
export const MOST_LEVELS = 32;

/** Writes values down as expressions of one language. */
export class ValueWriter {
  readonly #language: Language;
  readonly #heights: ReadonlyMap<Value, number>;
  readonly #names = new Map<Value, number>();

  /** `heights`: of all values there are. */
  constructor(language: Language, heights: ReadonlyMap<Value, number>) {
    this.#language = language;
    this.#heights = heights;
    for (const value of heights.keys()) this.#names.set(value, this.#names.size);
  }

  /** The texts of `value` with at most so many levels of arrays and objects. */
  write(value: Value, levels = MOST_LEVELS): Expression {
    if (this.#heights.get(value)! > levels) return NEVER;
    switch (value.kind) {
      case 'text':
        return value.expression;
      case 'choice':
        return this.#language.choice(...value.options.map(option => this.write(option, levels)));
      case 'reference':
        return this.write(value.target!, levels);
      case 'array':
        return this.#later(value, levels, () => this.#array(value, levels - 1));
      case 'object':
        return this.#later(value, levels, () => this.#object(value, levels - 1));
    }
  }

  #later(value: Value, levels: number, expand: () => Expression): Expression {
    return this.#language.lazy(`${this.#names.get(value)} ${levels}`, expand);
  }

  #array({ first, others, least, most }: ArrayValue, levels: number): Expression {
    const language = this.#language;
    const { before, after } = punctuation(language);
    const comma = after(',');
    const item = others === undefined ? NEVER : this.write(others, levels);
    const from = Math.min(first.length, most);
    const more = (done: number) => {
      const [fewest, rest] = [Math.max(least - done, 0), most - done];
      return language.repeat(language.sequence(comma, item), fewest, rest);
    };
    /** What follows the first `done` items, of which there is one or more. */
    let tail = language.sequence(more(Math.max(from, 1)), before(']'));
    for (let done = from - 1; done >= 1; done--) {
      const next = language.sequence(comma, this.write(first[done], levels), tail);
      tail = language.choice(next, done >= least ? before(']') : NEVER);
    }
    const head = from > 0 ? this.write(first[0], levels) : item;
    const some = most > 0 ? language.sequence(head, tail) : NEVER;
    const none = least === 0 ? language.text(']') : NEVER;
    return language.sequence(after('['), language.choice(some, none));
  }

  #object({ properties, others }: ObjectValue, levels: number): Expression {
    const language = this.#language;
    const { before, after } = punctuation(language);
    const comma = after(',');
    const names = properties.map(({ name }) => name);
    const other =
      others === undefined ? NEVER : this.#member(otherNames(language, names), others, levels);
    const more = language.repeat(language.sequence(comma, other));
    const end = language.sequence(more, before('}'));
    /** What follows from a property on: where others stand before it, and where none does. */
    let behind = end;
    let alone = language.choice(language.sequence(other, end), language.text('}'));
    for (const property of [...properties].reverse()) {
      const member = language.sequence(this.#property(property, levels), behind);
      const skip = (rest: Expression) => (property.isRequired ? NEVER : rest);
      alone = language.choice(member, skip(alone));
      behind = language.choice(language.sequence(comma, member), skip(behind));
    }
    return language.sequence(after('{'), alone);
  }

  #property({ name, value }: Property, levels: number): Expression {
    return this.#member(this.#language.text(JSON.stringify(name)), value, levels);
  }

  #member(name: Expression, value: Value, levels: number): Expression {
    const { after } = punctuation(this.#language);
    return this.#language.sequence(name, after(':'), this.write(value, levels));
  }
}
