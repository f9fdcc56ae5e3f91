/**
 * How many arrays and objects are in each other at least in a value: 0 of a text, Infinity if it
 * would have to contain itself for ever, so that there is none.
 */
import { NEVER } from '../automaton/expression.js';
import { partsOf, type Value } from './value.js';

/** Of `root` and all that is in it. */
export function heightsOf(root: Value): ReadonlyMap<Value, number> {
  const heights = new Map<Value, number>([[root, Infinity]]);
  for (const value of heights.keys())
    for (const part of partsOf(value)) if (!heights.has(part)) heights.set(part, Infinity);
  const values = [...heights.keys()].reverse();
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (const value of values) {
      const height = heightOf(value, part => heights.get(part)!);
      if (height < heights.get(value)!) {
        heights.set(value, height);
        hasChanged = true;
      }
    }
  }
  return heights;
}

function heightOf(value: Value, of: (part: Value) => number): number {
  switch (value.kind) {
    case 'text':
      return value.expression === NEVER ? Infinity : 0;
    case 'choice':
      return Math.min(...value.options.map(of));
    case 'reference':
      return of(value.target!);
    case 'object': {
      const required = value.properties.filter(({ isRequired }) => isRequired);
      return 1 + Math.max(0, ...required.map(property => of(property.value)));
    }
    case 'array': {
      const { first, others, least } = value;
      const needed = first.slice(0, least).map(of);
      if (least > first.length) needed.push(others === undefined ? Infinity : of(others));
      return 1 + Math.max(0, ...needed);
    }
  }
}

/** A choice or reference that leads to itself with no array or object between; if any. */
export function findCircle(values: Iterable<Value>): Value | undefined {
  const done = new Set<Value>();
  const open = new Set<Value>();
  const leadsToItself = (value: Value): boolean => {
    if (done.has(value) || (value.kind !== 'choice' && value.kind !== 'reference')) return false;
    if (open.has(value)) return true;
    open.add(value);
    const found = partsOf(value).some(leadsToItself);
    open.delete(value);
    done.add(value);
    return found;
  };
  for (const value of values) if (leadsToItself(value)) return value;
  return undefined;
}
