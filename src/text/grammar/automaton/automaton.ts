/**
 * A language as an automaton that reads bytes. Its states are expressions, what may still come;
 * they are found when a text first comes to them, so that there may be endlessly many: of a
 * language that contains itself, a state holds all that is open.
 *
 * Every state has a way to the end. `Language` sees to that but for intersections, which can be
 * empty without looking so: of these, a way to the end is searched.
 */
import { type ByteClasses, byteClasses, derivative } from './derivative.js';
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
const MOST_REMEMBERED = 50_000;

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
    return this.#stateOf(expression);
  }

  /** The texts of both, or `NEVER`; neither may contain itself, so that the search has an end. */
  intersect(left: Expression, right: Expression): Expression {
    const both = this.#language.both(left, right);
    return both.kind !== 'both' || this.#findText(both) ? both : NEVER;
  }

  /** How many states a text can come to; beyond `most` they are not counted. */
  countStates(start: Expression, most: number): number {
    const found = new Set([start]);
    for (const expression of found) {
      if (found.size > most) break;
      const state = this.#stateOf(expression);
      for (const byte of firstBytes(state.classes)) {
        const next = state.next(byte);
        if (next !== undefined) found.add(next.expression);
      }
    }
    return found.size;
  }

  #stateOf(expression: Expression): LazyState {
    const known = this.#states.get(expression);
    if (known !== undefined) return known;
    if (this.#states.size >= MOST_REMEMBERED) this.#forget();
    const state = new LazyState(expression, {
      classes: () => this.#classesOf(expression),
      next: byte => this.#after(expression, byte),
    });
    this.#states.set(expression, state);
    return state;
  }

  #after(expression: Expression, byte: number): LazyState | undefined {
    const rest = this.#derivative(expression, byte, (a, b) => this.intersect(a, b));
    return rest === NEVER ? undefined : this.#stateOf(rest);
  }

  /** Parts are states, too: what is found out of one serves all that it is a part of. */
  #derivative(
    expression: Expression,
    byte: number,
    intersect: (left: Expression, right: Expression) => Expression,
  ): Expression {
    return derivative(expression, byte, {
      language: this.#language,
      derive: part => this.#stateOf(part).next(byte)?.expression ?? NEVER,
      intersect,
    });
  }

  #classesOf(expression: Expression): ByteClasses {
    const isOfFirst = expression.kind === 'sequence' && !expression.first.isNullable;
    return isOfFirst ? this.#stateOf(expression.first).classes : byteClasses(expression);
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

  /** The derivatives of an intersection, with those that have no text among them. */
  #possible(expression: Expression): Expression[] {
    const unchecked = (left: Expression, right: Expression) => this.#language.both(left, right);
    return firstBytes(this.#stateOf(expression).classes)
      .map(byte => this.#derivative(expression, byte, unchecked))
      .filter(next => next !== NEVER);
  }

  #forget(): void {
    this.#states = new Map();
    this.#hasText = new Map();
  }
}

/** A byte of each class. */
function firstBytes({ classOf, count }: ByteClasses): number[] {
  return Array.from({ length: count }, (_, number) => classOf.indexOf(number));
}

/** What a state asks its automaton for, once. */
interface Finder {
  classes(): ByteClasses;
  next(byte: number): LazyState | undefined;
}

/** Remembers where each class of bytes leads. */
class LazyState implements State {
  readonly expression: Expression;
  readonly isComplete: boolean;
  readonly #find: Finder;
  #classes: ByteClasses | undefined;
  /** By class; null is not known yet. */
  #next: (LazyState | undefined | null)[] = [];

  constructor(expression: Expression, find: Finder) {
    this.expression = expression;
    this.isComplete = expression.isNullable;
    this.#find = find;
  }

  get classes(): ByteClasses {
    if (this.#classes === undefined) {
      this.#classes = this.#find.classes();
      this.#next = new Array(this.#classes.count).fill(null);
    }
    return this.#classes;
  }

  next(byte: number): LazyState | undefined {
    const number = this.classes.classOf[byte];
    const known = this.#next[number];
    if (known !== null) return known;
    const next = this.#find.next(byte);
    this.#next[number] = next;
    return next;
  }
}
