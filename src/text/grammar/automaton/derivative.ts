/**
 * What may follow a byte. The derivative of a language L by a byte b is { w : bw ∈ L }:
 *
 *     ∂ {b}  = {ε}            ∂ (L | M) = ∂L | ∂M           ∂ (L & M) = ∂L & ∂M
 *     ∂ L{m,n} = ∂L · L{m−1,n−1}                            if L is not nullable, or m = 0
 *     ∂ (L · M) = ∂L · M | ∂M                               the second only if L is nullable
 *
 * Janusz Brzozowski, "Derivatives of Regular Expressions", JACM 11 (1964), theorem 3.1. Of a
 * language that contains itself, behind at least one byte, the same holds: the rest of a sequence
 * is then the stack of a pushdown automaton.
 */
import { type ByteSet, hasByte } from './byte-set.js';
import { EMPTY, type Expression, type Language, NEVER } from './expression.js';

/** What derivatives are made with. */
export interface Deriving {
  readonly language: Language;
  /** The derivative of a part, which is known perhaps. */
  readonly derive: (part: Expression, byte: number) => Expression;
  /** The texts of both. */
  readonly intersect: (left: Expression, right: Expression) => Expression;
}

/** ∂ of an expression by `byte`. */
export function derivative(expression: Expression, byte: number, deriving: Deriving): Expression {
  const { language, derive, intersect } = deriving;
  switch (expression.kind) {
    case 'never':
    case 'empty':
      return NEVER;
    case 'byte':
      return hasByte(expression.set, byte) ? EMPTY : NEVER;
    case 'sequence': {
      const { first, rest } = expression;
      const inFirst = language.sequence(derive(first, byte), rest);
      return first.isNullable ? language.choice(inFirst, derive(rest, byte)) : inFirst;
    }
    case 'choice':
      return language.choice(...expression.items.map(item => derive(item, byte)));
    case 'repeat': {
      const { item, least, most } = expression;
      const others = language.repeat(item, Math.max(least - 1, 0), most - 1);
      return language.sequence(derive(item, byte), others);
    }
    case 'both':
      return intersect(derive(expression.left, byte), derive(expression.right, byte));
    case 'lazy':
      return derive(expression.expand(), byte);
  }
}

/** Bytes in classes: those of a class have the same derivative. */
export interface ByteClasses {
  /** By byte: the number of its class. */
  readonly classOf: Uint8Array;
  readonly count: number;
}

/** The classes by the sets of bytes that a first byte is compared with. */
export function byteClasses(expression: Expression): ByteClasses {
  const sets = new Set<ByteSet>();
  pushFirstSets(expression, sets);
  const classOf = new Uint8Array(256);
  let count = 1;
  for (const set of sets) count = refine(classOf, set);
  return { classOf, count };
}

function pushFirstSets(expression: Expression, sets: Set<ByteSet>): void {
  switch (expression.kind) {
    case 'byte':
      sets.add(expression.set);
      break;
    case 'sequence':
      pushFirstSets(expression.first, sets);
      if (expression.first.isNullable) pushFirstSets(expression.rest, sets);
      break;
    case 'choice':
      for (const item of expression.items) pushFirstSets(item, sets);
      break;
    case 'repeat':
      pushFirstSets(expression.item, sets);
      break;
    case 'both':
      pushFirstSets(expression.left, sets);
      pushFirstSets(expression.right, sets);
      break;
    case 'lazy':
      pushFirstSets(expression.expand(), sets);
      break;
  }
}

/** Divides each class into those in the set and the others; how many there are then. */
function refine(classOf: Uint8Array, set: ByteSet): number {
  const numbers = new Map<number, number>();
  let range = 0;
  for (let byte = 0; byte < 256; byte++) {
    while (range < set.length && set[range][1] < byte) range++;
    const isInside = range < set.length && set[range][0] <= byte;
    const half = 2 * classOf[byte] + Number(isInside);
    if (!numbers.has(half)) numbers.set(half, numbers.size);
    classOf[byte] = numbers.get(half)!;
  }
  return numbers.size;
}
