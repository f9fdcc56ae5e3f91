/** What a JSON value may be, as a schema says it; a value can contain itself by a reference. */
import type { Expression } from '../automaton/expression.js';

/** A value that has no others in it, as a text. */
export interface TextValue {
  readonly kind: 'text';
  readonly expression: Expression;
}

export interface ArrayValue {
  readonly kind: 'array';
  /** What the first items are. */
  readonly first: readonly Value[];
  /** What the others are; undefined if there are none. */
  readonly others: Value | undefined;
  readonly least: number;
  readonly most: number;
}

export interface Property {
  readonly name: string;
  readonly value: Value;
  readonly isRequired: boolean;
}

export interface ObjectValue {
  readonly kind: 'object';
  /** In the order in which they are written. */
  readonly properties: readonly Property[];
  /** What properties of other names are, which come behind these; undefined if there are none. */
  readonly others: Value | undefined;
}

export interface ChoiceValue {
  readonly kind: 'choice';
  readonly options: readonly Value[];
}

export interface ReferenceValue {
  readonly kind: 'reference';
  /** Set once all is read. */
  target: Value | undefined;
}

export type Value = TextValue | ArrayValue | ObjectValue | ChoiceValue | ReferenceValue;

/** Those that a value needs or may have in it, directly. */
export function partsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case 'text':
      return [];
    case 'array':
      return value.others === undefined ? value.first : [...value.first, value.others];
    case 'object': {
      const own = value.properties.map(property => property.value);
      return value.others === undefined ? own : [...own, value.others];
    }
    case 'choice':
      return value.options;
    case 'reference':
      return [value.target!];
  }
}
