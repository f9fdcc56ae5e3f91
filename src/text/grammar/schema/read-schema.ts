/** A JSON Schema → what values it allows; docs/structured-output.md says what is supported. */
import { show } from '../../../base/errors.js';
import { isObject } from '../../../base/json.js';
import { type Expression, NEVER } from '../automaton/expression.js';
import type { Property, ReferenceValue, Value } from '../values/value.js';
import { isAnnotation, type TypeName } from './keywords.js';
import { mergeSchemas } from './merge.js';
import { readInteger, readNumber, readString, type Tools } from './scalars.js';
import {
  badSchema,
  checkSchema,
  pointerTo,
  type Schema,
  takeCount,
  takeList,
  takeObject,
  takeText,
  takeTexts,
} from './schema.js';
import { isOfType, typeOf, typesOf } from './types.js';

/** No schema of people is so deep, or refers on so often. */
const MOST_NESTED = 200;

/** What a schema allows, and where each value stands in it. */
export interface ReadSchema {
  readonly root: Value;
  readonly pointers: ReadonlyMap<Value, string>;
}

/** @throws {LlamaError} BAD_OPTION, naming the keyword at fault and where it stands */
export function readSchema(schema: unknown, tools: Tools): ReadSchema {
  const reader = new SchemaReader(schema, tools);
  return { root: reader.read(schema, '#'), pointers: reader.pointers };
}

class SchemaReader {
  readonly pointers = new Map<Value, string>();
  readonly #root: unknown;
  readonly #tools: Tools;
  /** By pointer. */
  readonly #references = new Map<string, ReferenceValue>();
  #any: ReferenceValue | undefined;
  #nested = 0;

  constructor(root: unknown, tools: Tools) {
    this.#root = root;
    this.#tools = tools;
  }

  read(given: unknown, at: string): Value {
    const schema = checkSchema(given, at);
    if (schema === false) return text(NEVER);
    if (schema === true || assertionsOf(schema).length === 0) return this.#anything();
    return this.#readDeeper(schema);
  }

  #readDeeper(schema: Schema): Value {
    if (this.#nested === MOST_NESTED)
      throw badSchema(schema.at, `it is nested, or merged, more than ${MOST_NESTED} deep`);
    this.#nested += 1;
    const value = this.#readKeywords(schema);
    this.#nested -= 1;
    this.pointers.set(value, schema.at);
    return value;
  }

  #readKeywords(schema: Schema): Value {
    const { keywords } = schema;
    if ('$ref' in keywords) return this.#reference(schema);
    if ('allOf' in keywords) return this.#allOf(schema);
    if ('anyOf' in keywords) return this.#anyOf(schema, 'anyOf');
    if ('oneOf' in keywords) return this.#anyOf(schema, 'oneOf');
    if ('const' in keywords) return this.#oneOf(schema, 'const', [keywords.const]);
    if ('enum' in keywords) return this.#oneOf(schema, 'enum', takeList(schema, 'enum')!);
    return this.#ofTypes(schema);
  }

  #reference(schema: Schema): Value {
    const { at } = schema;
    refuseBeside(schema, '$ref', []);
    const pointer = takeText(schema, '$ref')!;
    const known = this.#references.get(pointer);
    if (known !== undefined) return known;
    const reference: ReferenceValue = { kind: 'reference', target: undefined };
    this.#references.set(pointer, reference);
    this.pointers.set(reference, at);
    reference.target = this.read(this.#find(pointer, at), pointer);
    return reference;
  }

  /** What `pointer` points at (RFC 6901 §6). */
  #find(pointer: string, at: string): unknown {
    if (!/^#(\/|$)/.test(pointer))
      throw badSchema(at, `$ref ${show(pointer)} is not #/… of this schema; no other is looked up`);
    let found = this.#root;
    for (const part of pointer.split('/').slice(1)) {
      const name = decode(part, pointer, at);
      const isThere = (isObject(found) || Array.isArray(found)) && Object.hasOwn(found, name);
      if (!isThere) throw badSchema(at, `$ref ${show(pointer)} points at nothing`);
      found = (found as Record<string, unknown>)[name];
    }
    return found;
  }

  #allOf(schema: Schema): Value {
    const { at, keywords } = schema;
    const { allOf: _, ...others } = keywords;
    const own: Schema = { at, keywords: others };
    const parts = takeList(schema, 'allOf')!.map((part, i) =>
      this.#resolve(part, pointerTo(at, 'allOf', i)),
    );
    const merged = [own, ...parts].reduce(mergeSchemas);
    return assertionsOf(merged).length === 0 ? this.#anything() : this.#readDeeper(merged);
  }

  /** A part of `allOf` as keywords to merge: what it refers to, and its own `allOf` merged. */
  #resolve(given: unknown, at: string): Schema {
    const seen = new Set<string>();
    let schema = checkSchema(given, at);
    for (;;) {
      if (typeof schema === 'boolean') {
        if (!schema) throw badSchema(at, 'false in allOf leaves no value');
        return { at, keywords: {} };
      }
      if (!('$ref' in schema.keywords)) break;
      refuseBeside(schema, '$ref', []);
      const pointer = takeText(schema, '$ref')!;
      if (seen.has(pointer)) throw badSchema(at, `$ref ${show(pointer)} leads to itself`);
      seen.add(pointer);
      schema = checkSchema(this.#find(pointer, at), pointer);
    }
    if (!('allOf' in schema.keywords)) return schema;
    throw badSchema(schema.at, 'keyword "allOf" in a part of allOf is not supported');
  }

  /** What stands beside it holds for each. */
  #anyOf(schema: Schema, keyword: 'anyOf' | 'oneOf'): Value {
    const { [keyword]: _, ...others } = schema.keywords;
    const rest: Schema = { at: schema.at, keywords: others };
    const isAlone = assertionsOf(rest).length === 0;
    const options = takeList(schema, keyword)!.map((option, i) => {
      const at = pointerTo(schema.at, keyword, i);
      if (isAlone) return this.read(option, at);
      return this.#readDeeper(mergeSchemas(rest, this.#resolve(option, at)));
    });
    return choice(options);
  }

  #oneOf(schema: Schema, keyword: string, values: readonly unknown[]): Value {
    refuseBeside(schema, keyword, ['type']);
    const types = 'type' in schema.keywords ? typesOf(schema) : undefined;
    const allowed = values.filter(
      value => types === undefined || types.some(type => isOfType(typeOf(value), type)),
    );
    if (allowed.length > 0) return choice(allowed.map(value => this.#exactly(value)));
    throw badSchema(schema.at, `no value of ${keyword} has the type ${types?.join(' or ')}`);
  }

  /** This value and no other, as JSON.stringify writes it, but for spaces. */
  #exactly(value: unknown): Value {
    if (Array.isArray(value)) {
      const first = value.map(item => this.#exactly(item));
      return { kind: 'array', first, others: undefined, least: first.length, most: first.length };
    }
    if (!isObject(value)) return text(this.#tools.language.text(JSON.stringify(value)));
    const properties = Object.entries(value).map(([name, part]): Property => {
      return { name, value: this.#exactly(part), isRequired: true };
    });
    return { kind: 'object', properties, others: undefined };
  }

  #ofType(type: TypeName, schema: Schema): Value {
    const { language } = this.#tools;
    switch (type) {
      case 'string':
        return text(readString(schema, this.#tools));
      case 'integer':
        return text(readInteger(schema, this.#tools));
      case 'number':
        return text(readNumber(schema, this.#tools));
      case 'boolean':
        return text(language.choice(language.text('true'), language.text('false')));
      case 'null':
        return text(language.text('null'));
      case 'array':
        return this.#array(schema);
      case 'object':
        return this.#object(schema);
    }
  }

  #array(schema: Schema): Value {
    const { at, keywords } = schema;
    const first = (takeList(schema, 'prefixItems') ?? []).map((item, i) =>
      this.read(item, pointerTo(at, 'prefixItems', i)),
    );
    const isOpen = 'items' in keywords || first.length === 0;
    const others = isOpen ? this.read(keywords.items ?? true, pointerTo(at, 'items')) : undefined;
    const most = takeCount(schema, 'maxItems') ?? Infinity;
    const least = takeCount(schema, 'minItems') ?? Math.min(first.length, most);
    if (least > most) throw badSchema(at, `minItems ${least} is above maxItems ${most}`);
    return { kind: 'array', first, others, least, most };
  }

  #object(schema: Schema): Value {
    const { at, keywords } = schema;
    const given = takeObject(schema, 'properties');
    const required = takeTexts(schema, 'required') ?? [];
    const isOpen = 'additionalProperties' in keywords || given === undefined;
    const others = isOpen ? this.#others(schema) : undefined;
    const properties = Object.entries(given ?? {}).map(([name, part]): Property => {
      const value = this.read(part, pointerTo(at, 'properties', name));
      return { name, value, isRequired: required.includes(name) };
    });
    for (const name of new Set(required)) {
      if (given !== undefined && Object.hasOwn(given, name)) continue;
      if (others === undefined) throw badSchema(at, `"${name}" is required and is no property`);
      properties.push({ name, value: others, isRequired: true });
    }
    return { kind: 'object', properties, others };
  }

  #others({ at, keywords }: Schema): Value | undefined {
    const { additionalProperties = true } = keywords;
    if (additionalProperties === false) return undefined;
    return this.read(additionalProperties, pointerTo(at, 'additionalProperties'));
  }

  /** Any value; made once, as it contains itself. */
  #anything(): Value {
    if (this.#any !== undefined) return this.#any;
    const any: ReferenceValue = { kind: 'reference', target: undefined };
    this.#any = any;
    any.target = this.#ofTypes({ at: '#', keywords: {} });
    return any;
  }

  #ofTypes(schema: Schema): Value {
    return choice(typesOf(schema).map(type => this.#ofType(type, schema)));
  }
}

const text = (expression: Expression): Value => ({ kind: 'text', expression });

const choice = (options: readonly Value[]): Value =>
  options.length === 1 ? options[0] : { kind: 'choice', options };

/** The names of what a value is held to. */
const assertionsOf = ({ keywords }: Schema): string[] =>
  Object.keys(keywords).filter(keyword => !isAnnotation(keyword));

function refuseBeside(schema: Schema, keyword: string, allowed: readonly string[]): void {
  const beside = assertionsOf(schema).find(name => name !== keyword && !allowed.includes(name));
  if (beside === undefined) return;
  throw badSchema(schema.at, `keyword "${beside}" beside ${keyword} is not supported`);
}

/** A part of a pointer in a $ref, which is a URI. */
function decode(part: string, pointer: string, at: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    throw badSchema(at, `$ref ${show(pointer)} has a % that is none of a URI`);
  }
}
