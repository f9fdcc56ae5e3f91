/**
 * Chat templates in the metadata of a GGUF file, to read and to write, by the names that the gguf
 * package gives them:
 *
 *     tokenizer.chat_template          the default one
 *     tokenizer.chat_template.NAME     another one, such as tool_use
 *     tokenizer.chat_templates         the names of the others
 */

import { check, show } from '../../base/errors.js';
import type { GgufMetadata, GgufValue } from './values.js';

const KEY = 'tokenizer.chat_template';
const NAMES_KEY = 'tokenizer.chat_templates';

/** The name of the template that is used if none is asked for. */
export const DEFAULT_TEMPLATE = 'default';

/** Templates by name. */
export type TemplatesByName = ReadonlyMap<string, string>;

/**
 * The templates in `metadata`; perhaps none.
 * @throws {LlamaError} BAD_TOKENIZER for one that is no text.
 */
export function readGgufTemplates(metadata: GgufMetadata): TemplatesByName {
  const templates = new Map<string, string>();
  for (const [key, { type, value }] of metadata) {
    if (key !== KEY && !key.startsWith(`${KEY}.`)) continue;
    check(type === 'string', 'BAD_TOKENIZER', () => `${key} is ${show(value)}, not a text`);
    templates.set(key === KEY ? DEFAULT_TEMPLATE : key.slice(KEY.length + 1), value);
  }
  return templates;
}

/**
 * The metadata from which `readGgufTemplates` reads `templates`. Characters of a name that a key
 * cannot have become underscores.
 */
export function ggufTemplateMetadata(templates: TemplatesByName): GgufMetadata {
  const named = [...templates].map(([name, source]) => [asKey(name), source] as const);
  const others = named.map(([name]) => name).filter(name => name !== DEFAULT_TEMPLATE);
  return new Map<string, GgufValue>([
    ...named.map(([name, value]): [string, GgufValue] => {
      return [name === DEFAULT_TEMPLATE ? KEY : `${KEY}.${name}`, { type: 'string', value }];
    }),
    ...(others.length === 0
      ? []
      : [[NAMES_KEY, { type: 'array', of: 'string', value: others }] as [string, GgufValue]]),
  ]);
}

const asKey = (name: string): string => name.replace(/[^A-Za-z0-9]/g, '_');
