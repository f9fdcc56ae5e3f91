/**
 * The rule of "▁" in a tokenizer.json, where three components share it:
 *
 *     normalizer       Prepend("▁"), Replace(" " → "▁")                    transformers 4
 *                      Replace(" " → "▁"), Replace(/\A▁/ → "▁▁")           transformers 5, some
 *     pre_tokenizer    Metaspace, in itself or with the last               `legacy=False`, and 5
 *     decoder          Replace("▁" → " "), ByteFallback, Fuse, Strip(1)
 *
 * in any order that comes to the same, alone or in a Sequence. What does not is refused by name.
 */

import type { SpaceRule } from '../model/space-rule.js';
import { flat, type Json, matches, object, unsupported } from './fields.js';

const ESCAPE = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const DOUBLE = { type: 'Replace', pattern: { Regex: '\\A▁' }, content: '▁▁' };
const PREPEND = { type: 'Prepend', prepend: '▁' };

/**
 * What `file`, the content of a tokenizer.json, does about spaces.
 * @throws {LlamaError} UNSUPPORTED for any other component.
 */
export function readSpaceRule(file: Json): SpaceRule {
  const { normalizer = null, pre_tokenizer: preTokenizer = null, decoder } = file;
  const prefix = readMetaspace(preTokenizer);
  const steps = flat(normalizer, 'normalizer', 'normalizers').map(step => {
    if (matches(step, ESCAPE)) return 'escape';
    if (matches(step, DOUBLE)) return 'double';
    if (matches(step, PREPEND)) return 'prepend';
    throw unsupported('normalizer', normalizer, 'Prepend("▁") and Replace(" ", "▁")');
  });
  const rule = RULES[[steps.join(' '), prefix ?? 'none'].join(' | ')];
  if (rule === undefined) {
    const name = prefix === undefined ? 'normalizer' : 'normalizer beside a pre_tokenizer';
    throw unsupported(name, normalizer, 'Prepend("▁") and Replace(" ", "▁")');
  }
  return { ...rule, dropsSpace: readDecoder(decoder, object(file.model, 'model')) };
}

type Rule = Pick<SpaceRule, 'normalizer' | 'prefix'>;

const SENTENCE_PIECE: Rule = { normalizer: 'prepend', prefix: 'never' };

/** By the steps of the normalizer, and the scheme of Metaspace. */
const RULES: Readonly<Record<string, Rule>> = {
  ' | always': { normalizer: 'none', prefix: 'always' },
  ' | first': { normalizer: 'none', prefix: 'first' },
  ' | never': { normalizer: 'none', prefix: 'never' },
  'escape | none': { normalizer: 'escape', prefix: 'never' },
  'escape | always': { normalizer: 'escape', prefix: 'always' },
  'escape | first': { normalizer: 'escape', prefix: 'first' },
  'escape | never': { normalizer: 'escape', prefix: 'never' },
  'escape double | always': { normalizer: 'double', prefix: 'always' },
  // Behind Prepend, Metaspace finds a "▁" already.
  ...Object.fromEntries(
    ['prepend escape', 'escape prepend'].flatMap(steps =>
      ['none', 'always', 'first', 'never'].map(scheme => [`${steps} | ${scheme}`, SENTENCE_PIECE]),
    ),
  ),
};

/** Its `prepend_scheme`; undefined if there is no pre_tokenizer. */
function readMetaspace(preTokenizer: unknown): SpaceRule['prefix'] | undefined {
  const [metaspace, ...more] = flat(preTokenizer, 'pre_tokenizer', 'pretokenizers');
  if (metaspace === undefined) return undefined;
  const { type, replacement, split, prepend_scheme: scheme, ...others } = metaspace;
  const { add_prefix_space: addPrefixSpace = true, str_rep: _, ...unknown } = others;
  const isMetaspace =
    type === 'Metaspace' && replacement === '▁' && split === false && more.length === 0;
  if (!isMetaspace || Object.keys(unknown).length > 0) {
    const expected = 'Metaspace with replacement "▁" and split false';
    throw unsupported('pre_tokenizer', preTokenizer, expected);
  }
  // Until 2023 there was add_prefix_space in place of a scheme.
  const prefix = scheme ?? (addPrefixSpace === true ? 'always' : 'never');
  if (prefix === 'always' || prefix === 'first' || prefix === 'never') return prefix;
  throw unsupported('pre_tokenizer.prepend_scheme', scheme, '"first", "always" or "never"');
}

const UNESCAPE = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
const STRIP = { type: 'Strip', content: ' ', start: 1, stop: 0 };

/** Whether it drops a space at the start of the text. */
function readDecoder(decoder: unknown, { byte_fallback: byteFallback }: Json): boolean {
  const steps = flat(decoder, 'decoder', 'decoders');
  const strips = matches(steps.at(-1), STRIP);
  const bytes = byteFallback === false ? [] : [{ type: 'ByteFallback' }];
  const expected = [UNESCAPE, ...bytes, { type: 'Fuse' }, ...(strips ? [STRIP] : [])];
  if (matches(steps, expected)) return strips;
  throw unsupported('decoder', decoder, 'Replace("▁", " "), ByteFallback, Fuse and Strip');
}
