/** The keys of a tokenizer in the metadata of a GGUF file, checked. */
import { check, show } from '../../base/errors.js';
import { PIECE_TYPES } from '../model/tokenizer-model.js';
import type { Piece } from '../model/vocabulary.js';

/** What keys begin with. */
export const PREFIX = 'tokenizer.ggml.';

/** By key, without what all begin with. */
export type Fields = Readonly<Record<string, unknown>>;

/** What every kind has: said elsewhere, for prompts, and ids that no text becomes. */
const COMMON_KEYS: ReadonlySet<string> = new Set([
  ...['model', 'tokens', 'token_type', 'bos_token_id', 'eos_token_id', 'unknown_token_id'],
  ...['add_bos_token', 'add_eos_token', 'add_sep_token', 'token_type_count'],
  ...[
    'eot_token_id',
    'eom_token_id',
    'padding_token_id',
    'seperator_token_id',
    'mask_token_id',
    'cls_token_id',
  ],
  ...[
    'fim_pre_token_id',
    'fim_suf_token_id',
    'fim_mid_token_id',
    'fim_pad_token_id',
    'fim_rep_token_id',
  ],
  ...['fim_sep_token_id', 'prefix_token_id', 'suffix_token_id', 'middle_token_id'],
]);

/** What a kind of tokenizer has besides. */
export interface KnownKeys {
  /** Read, or without a meaning for this kind. */
  readonly keys: ReadonlySet<string>;
  /** Keys that change the ids, with the values for which they do not. */
  readonly implemented: ReadonlyMap<string, unknown>;
}

/**
 * @throws {LlamaError} UNSUPPORTED for a key that nobody has looked at: it might change the ids.
 */
export function checkKeys(fields: Fields, { keys, implemented }: KnownKeys): void {
  for (const [key, value] of Object.entries(fields)) {
    const isKnown =
      COMMON_KEYS.has(key) ||
      keys.has(key) ||
      (implemented.has(key) && implemented.get(key) === value) ||
      (ArrayBuffer.isView(value) && value.byteLength === 0);
    check(
      isKnown,
      'UNSUPPORTED',
      () => `${PREFIX}${key} is ${named(value)}, which may change the ids; it is not implemented`,
    );
  }
}

/** Arrays, such as the rules of a normalizer, by their size. */
function named(value: unknown): string {
  return ArrayBuffer.isView(value) ? `an array of ${value.byteLength} bytes` : show(value);
}

/** The texts and types of all pieces; `more` are other arrays with a value for each. */
export function readTypedPieces(
  fields: Fields,
  more: Readonly<Record<string, ArrayLike<unknown>>> = {},
): Piece[] {
  const tokens = strings(fields, 'tokens');
  const types = numbers(fields, 'token_type');
  for (const [name, values] of Object.entries({ ...more, token_type: types })) {
    check(values.length === tokens.length, 'BAD_TOKENIZER', () => {
      return `there are ${tokens.length} tokens, but ${values.length} values of ${PREFIX}${name}`;
    });
  }
  return Array.from(tokens, (text, piece): Piece => {
    const type = PIECE_TYPES.get(types[piece]);
    check(type !== undefined, 'UNSUPPORTED', () => {
      return `piece ${piece}, ${show(text)}, has type ${types[piece]}; there are types 1 to 6`;
    });
    return { text, type };
  });
}

export function strings(fields: Fields, key: string): ArrayLike<string> {
  return list(fields, key, value => typeof value === 'string') as ArrayLike<string>;
}

export function numbers(fields: Fields, key: string): ArrayLike<number> {
  return list(fields, key, value => typeof value === 'number') as ArrayLike<number>;
}

function list(
  fields: Fields,
  key: string,
  isRight: (value: unknown) => boolean,
): ArrayLike<unknown> {
  const values = fields[key];
  const isList = Array.isArray(values) || ArrayBuffer.isView(values);
  check(isList && isRight((values as unknown as ArrayLike<unknown>)[0]), 'BAD_TOKENIZER', () => {
    return (
      `${PREFIX}${key} is ` +
      `${values === undefined ? 'missing' : `${show(values)}, not an array of the right kind`}`
    );
  });
  return values as unknown as ArrayLike<unknown>;
}

/** Whether `key` is true; `fallback` if it is not there. */
export function readFlag(fields: Fields, key: string, fallback: boolean): boolean {
  const value = fields[key] ?? fallback;
  check(
    typeof value === 'boolean',
    'BAD_TOKENIZER',
    () => `${PREFIX}${key} is ${show(value)}, not true or false`,
  );
  return value;
}

/** The id that `key` gives; `fallback` if it is not there. */
export function readId<T>(fields: Fields, key: string, fallback: T): number | T {
  const value = fields[key];
  if (value === undefined) return fallback;
  check(
    Number.isInteger(value),
    'BAD_TOKENIZER',
    () => `${PREFIX}${key} is ${show(value)}, not an integer`,
  );
  return value as number;
}
