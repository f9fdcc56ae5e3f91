/**
 * Languages of bytes as expressions: regular ones, with intersections, and with parts that are
 * written down only when they are needed, so that a language can contain itself.
 *
 * Expressions are made by the functions of a `Language`, which simplify, and give the same object
 * for the same expression: what goes on in the same way is then found to be the same state of an
 * automaton (`automaton.ts`), by identity. Simplifying keeps a promise: any expression but `NEVER`
 * has a text. So a text that has a state can always be completed.
 */
import { type ByteSet, byteSet } from './byte-set.js';

interface Common {
  /** Never given twice. */
  readonly id: number;
  /** Whether the empty text is in the language. */
  readonly isNullable: boolean;
}

/** One byte of a set. */
export interface Byte extends Common {
  readonly kind: 'byte';
  readonly set: ByteSet;
}

/** A text of one, then a text of the other. */
export interface Sequence extends Common {
  readonly kind: 'sequence';
  readonly first: Expression;
  readonly rest: Expression;
}

/** A text of any. */
export interface Choice extends Common {
  readonly kind: 'choice';
  readonly items: readonly Expression[];
}

/** `least` to `most` texts of the item. */
export interface Repeat extends Common {
  readonly kind: 'repeat';
  readonly item: Expression;
  readonly least: number;
  readonly most: number;
}

/** A text of both, which have no `Lazy` in them. */
export interface Both extends Common {
  readonly kind: 'both';
  readonly left: Expression;
  readonly right: Expression;
}

/** What `expand` gives, which is neither empty nor nullable. */
export interface Lazy extends Common {
  readonly kind: 'lazy';
  readonly expand: () => Expression;
}

/** A language. */
export type Expression =
  | (Common & { readonly kind: 'never' | 'empty' })
  | Byte
  | Sequence
  | Choice
  | Repeat
  | Both
  | Lazy;

/** No text at all. */
export const NEVER: Expression = { kind: 'never', id: 0, isNullable: false };
/** The empty text only. */
export const EMPTY: Expression = { kind: 'empty', id: 1, isNullable: true };

/** So many expressions are remembered; then it begins anew, and some states are found twice. */
const MOST_REMEMBERED = 100_000;

/** Makes expressions, which are compared by identity: only ones of the same `Language` together. */
export class Language {
  #known = new Map<string, Expression>();
  #nextId = 2;

  /** A byte of any of the ranges. */
  byte(...ranges: ByteSet): Expression {
    if (ranges.length === 0) return NEVER;
    const set = byteSet(ranges);
    const make = (id: number): Byte => ({ kind: 'byte', id, isNullable: false, set });
    return this.#remember(`byte ${set.join(' ')}`, make);
  }

  /** The bytes of `text` in UTF-8. */
  text(text: string): Expression {
    return this.sequence(
      ...Array.from(new TextEncoder().encode(text), byte => this.byte([byte, byte])),
    );
  }

  /** A text of each part, one after the other. */
  sequence(...parts: readonly Expression[]): Expression {
    return parts.reduceRight((rest, part) => this.#pair(part, rest), EMPTY);
  }

  choice(...options: readonly Expression[]): Expression {
    const items = new Set<Expression>();
    for (const option of options) {
      if (option.kind === 'choice') for (const item of option.items) items.add(item);
      else if (option !== NEVER) items.add(option);
    }
    if (items.size === 0) return NEVER;
    const sorted = [...items].sort((a, b) => a.id - b.id);
    if (sorted.length === 1) return sorted[0];
    const isNullable = sorted.some(item => item.isNullable);
    const key = `choice ${sorted.map(({ id }) => id).join(' ')}`;
    return this.#remember(key, id => ({ kind: 'choice', id, isNullable, items: sorted }));
  }

  optional(item: Expression): Expression {
    return this.choice(EMPTY, item);
  }

  /** `least` to `most` texts of `item`, any number if nothing is said. */
  repeat(item: Expression, least = 0, most = Infinity): Expression {
    if (most < least) return NEVER;
    if (item === NEVER) return least === 0 ? EMPTY : NEVER;
    if (most === 0 || item === EMPTY) return EMPTY;
    if (least === 1 && most === 1) return item;
    // What may be empty need not be there: then a derivative takes the first that is not empty.
    const needed = item.isNullable ? 0 : least;
    return this.#remember(`repeat ${item.id} ${needed} ${most}`, id => {
      return { kind: 'repeat', id, isNullable: needed === 0, item, least: needed, most };
    });
  }

  /** May have no text without being `NEVER`: see `Automaton`, which keeps the promise. */
  both(left: Expression, right: Expression): Expression {
    if (left === NEVER || right === NEVER) return NEVER;
    if (left === right) return left;
    if (left === EMPTY || right === EMPTY)
      return left.isNullable && right.isNullable ? EMPTY : NEVER;
    const isNullable = left.isNullable && right.isNullable;
    return this.#remember(`both ${left.id} ${right.id}`, id => {
      return { kind: 'both', id, isNullable, left, right };
    });
  }

  /** What `expand` gives, asked once for each `name` and only when a text gets there. */
  lazy(name: string, expand: () => Expression): Expression {
    return this.#remember(`lazy ${name}`, id => {
      let body: Expression | undefined;
      const once = () => {
        body ??= expand();
        return body;
      };
      return { kind: 'lazy', id, isNullable: false, expand: once };
    });
  }

  #pair(first: Expression, rest: Expression): Expression {
    if (first === NEVER || rest === NEVER) return NEVER;
    if (first === EMPTY) return rest;
    if (rest === EMPTY) return first;
    if (first.kind === 'sequence') return this.#pair(first.first, this.#pair(first.rest, rest));
    const isNullable = first.isNullable && rest.isNullable;
    return this.#remember(`sequence ${first.id} ${rest.id}`, id => {
      return { kind: 'sequence', id, isNullable, first, rest };
    });
  }

  #remember(key: string, make: (id: number) => Expression): Expression {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_REMEMBERED) this.#known = new Map();
    const made = make(this.#nextId++);
    this.#known.set(key, made);
    return made;
  }
}
