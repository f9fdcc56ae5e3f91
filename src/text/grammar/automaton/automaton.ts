/**
 * A language as an automaton that reads bytes. Its states are expressions, what may still come;
 * they are found when a text first comes to them, so that there may be endlessly many: of a
 * language that contains itself, a state holds all that is open.
 *
 * Every state has a way to the end. `Language` sees to that but for intersections, which can be
 * empty without looking so: of these, a way to the end is searched.
 */
import { byteClasses, derive } from './derivative.js';
import { type Expression, type Language, NEVER } from './expression.js';

/** What may still come. */
export interface State {
  readonly expression: Expression;
  /** Whether nothing need come. */
  readonly isComplete: boolean;
  /** The state after a byte; undefined if it cannot come. */
  next(byte: number): State | undefined;
}

/** So many states are remembered; then it begins anew. */
const MOST_REMEMBERED = 10_000;

/** Finds the states of the expressions of one `Language`. */
export class Automaton {
  readonly #language: Language;
  #states = new Map<Expression, LazyState>();
  /** Of intersections: whether they have a text, as far as that is known. */
  #hasText = new Map<Expression, boolean>();

  constructor(language: Language) {
    this.#language = language;
  }

  stateOf(expression: Expression): State {
    const known = this.#states.get(expression);
    if (known !== undefined) return known;
    if (this.#states.size >= MOST_REMEMBERED) this.#forget();
    const state = new LazyState(expression, byte => this.#after(expression, byte));
    this.#states.set(expression, state);
    return state;
  }

  /** The texts of both, or `NEVER`; neither may contain itself, so that the search has an end. */
  intersect(left: Expression, right: Expression): Expression {
    const both = this.#language.both(left, right);
    return both.kind !== 'both' || this.#findText(both) ? both : NEVER;
  }

  /** How many states there are, all of which a text can come to; more than `most` are not counted. */
  countStates(start: Expression, most: number): number {
    const found = new Set([start]);
    for (const expression of found) {
      if (found.size > most) break;
      for (const next of this.#allAfter(expression)) found.add(next);
    }
    return found.size;
  }

  #after(expression: Expression, byte: number): State | undefined {
    const rest = this.#derive(expression, byte);
    return rest === NEVER ? undefined : this.stateOf(rest);
  }

  #derive(expression: Expression, byte: number): Expression {
    const intersect = (left: Expression, right: Expression) => this.intersect(left, right);
    return derive(expression, byte, this.#language, intersect);
  }

  /** One for each class of bytes, but for those that cannot come. */
  #allAfter(expression: Expression): Expression[] {
    return firstBytes(expression)
      .map(byte => this.#derive(expression, byte))
      .filter(next => next !== NEVER);
  }

  /**
   * Searches, depth first, from an intersection to one that is nullable. All on the way there have
   * a text, too; if there is no way, none of those that were seen has one. What is no intersection
   * any more has one.
   */
  #findText(start: Expression): boolean {
    const known = this.#hasText.get(start);
    if (known !== undefined) return known;
    const seen = new Set<Expression>();
    const way: { readonly at: Expression; readonly next: Expression[] }[] = [];
    const enter = (at: Expression) => {
      seen.add(at);
      way.push({ at, next: this.#possible(at) });
    };
    enter(start);
    while (way.length > 0) {
      const { at, next } = way[way.length - 1];
      if (at.kind !== 'both' || at.isNullable || this.#hasText.get(at) === true) {
        for (const step of way) this.#hasText.set(step.at, true);
        return true;
      }
      const other = next.pop();
      if (other === undefined) way.pop();
      else if (!seen.has(other) && this.#hasText.get(other) !== false) enter(other);
    }
    for (const dead of seen) this.#hasText.set(dead, false);
    return false;
  }

  /** The derivatives of what may be an intersection, with those that have no text among them. */
  #possible(expression: Expression): Expression[] {
    const unchecked = (left: Expression, right: Expression) => this.#language.both(left, right);
    const possible = firstBytes(expression).map(byte => {
      return derive(expression, byte, this.#language, unchecked);
    });
    return possible.filter(next => next !== NEVER);
  }

  #forget(): void {
    this.#states = new Map();
    this.#hasText = new Map();
  }
}

/** A byte of each class. */
function firstBytes(expression: Expression): number[] {
  const { classOf, count } = byteClasses(expression);
  return Array.from({ length: count }, (_, number) => classOf.indexOf(number));
}

/** Remembers where each class of bytes leads. */
class LazyState implements State {
  readonly expression: Expression;
  readonly isComplete: boolean;
  readonly #after: (byte: number) => State | undefined;
  #classOf: Uint8Array | undefined;
  /** By class; null is not known yet. */
  #next: (State | undefined | null)[] = [];

  constructor(expression: Expression, after: (byte: number) => State | undefined) {
    this.expression = expression;
    this.isComplete = expression.isNullable;
    this.#after = after;
  }

  next(byte: number): State | undefined {
    const number = this.#classes()[byte];
    const known = this.#next[number];
    if (known !== null) return known;
    const next = this.#after(byte);
    this.#next[number] = next;
    return next;
  }

  #classes(): Uint8Array {
    if (this.#classOf === undefined) {
      const { classOf, count } = byteClasses(this.expression);
      this.#classOf = classOf;
      this.#next = new Array(count).fill(null);
    }
    return this.#classOf;
  }
}
