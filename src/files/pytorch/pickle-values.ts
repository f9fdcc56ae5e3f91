/**
 * What a pickle is read as. Calls are described, not made. Values may be shared and may contain
 * themselves: do not walk through all of them, nor turn them into text.
 */

import { show } from '../../base/errors.js';

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PickleReference;

export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

export interface PickleDict {
  readonly kind: 'dict';
  /** Whether it is an OrderedDict. */
  readonly ordered: boolean;
  /** As they come; keys may be equal. */
  readonly entries: (readonly [key: PickleValue, value: PickleValue])[];
}

/** A function or a class. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

export interface PickleCall {
  readonly kind: 'call';
  readonly callee: string;
  readonly args: readonly PickleValue[];
}

/** Something that is not in the pickle: a "persistent id". */
export interface PickleReference {
  readonly kind: 'reference';
  readonly id: PickleValue;
}

type Kind = Exclude<PickleValue, null | boolean | number | string>['kind'];

export function isKind<K extends Kind>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { kind: K }> {
  return typeof value === 'object' && value?.kind === kind;
}

/** A value for a message. */
export function describe(value: PickleValue | undefined): string {
  if (typeof value !== 'object' || value === null) return show(value);
  if (value.kind === 'global') return show(value.name);
  if (value.kind === 'call') return `a call of ${show(value.callee)}`;
  return `a ${value.kind}`;
}
