/** An added token as Hugging Face's files write it. */
import { check } from '../../base/errors.js';
import type { AddedToken } from '../model/added-tokens.js';
import { boolean, integer, object } from './fields.js';

/** Ids are places in a list. No vocabulary has as many. */
const MAX_ID = 2 ** 22;

/**
 * The token that `entry` describes; what it leaves out has the defaults of `AddedToken`.
 * @throws {LlamaError} BAD_TOKENIZER if it is none.
 */
export function readAddedToken(entry: unknown, id: unknown, where: string): AddedToken {
  const fields = object(entry, `an entry of ${where}`);
  const { content } = fields;
  check(typeof content === 'string' && content !== '', 'BAD_TOKENIZER', () => {
    return `an entry of ${where} has no content`;
  });
  const name = (field: string) => `${where}: ${field} of ${JSON.stringify(content)}`;
  const flag = (field: string, absent: boolean) => boolean(fields[field] ?? absent, name(field));
  const special = flag('special', false);
  return {
    id: readId(id, name('id')),
    content,
    special,
    singleWord: flag('single_word', false),
    lstrip: flag('lstrip', false),
    rstrip: flag('rstrip', false),
    normalized: flag('normalized', !special),
  };
}

export function readId(value: unknown, name: string): number {
  const id = integer(value, name);
  check(id >= 0 && id < MAX_ID, 'BAD_TOKENIZER', () => {
    return `${name} is ${id}; ids are 0 to ${MAX_ID - 1}`;
  });
  return id;
}
