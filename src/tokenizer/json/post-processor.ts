/**
 * The `post_processor` of a tokenizer.json, which puts special tokens around a text, or moves
 * offsets. It changes no id of a text; what a text begins with is followed where a byte-level
 * tokenizer says it so, and noted otherwise.
 */
import { isObject } from '../../base/json.js';
import { postProcessorNotes } from '../model/notes.js';
import type { TokenizerModel } from '../model/tokenizer-model.js';
import { expectJson, flat, type Json } from './fields.js';

const KNOWN: readonly unknown[] = [
  ...['TemplateProcessing', 'BertProcessing', 'RobertaProcessing', 'ByteLevel'],
];

/** With which nothing is to be said. */
const USUAL: Readonly<Record<TokenizerModel['kind'], readonly unknown[]>> = {
  sentencepiece: ['TemplateProcessing'],
  'byte-level': ['TemplateProcessing', 'ByteLevel'],
};

export interface PostProcessor {
  /** The special token that texts begin with; undefined if none. */
  readonly first: string | undefined;
  /** What is not followed, in a sentence each. */
  readonly notes: readonly string[];
}

/** @throws {LlamaError} UNSUPPORTED for a component that is not known. */
export function readPostProcessor(value: unknown, kind: TokenizerModel['kind']): PostProcessor {
  const components = flat(value, 'post_processor', 'processors');
  for (const { type } of components)
    if (!KNOWN.includes(type)) expectJson(type, 'TemplateProcessing', 'post_processor.type');
  const unusual = components.filter(({ type }) => !USUAL[kind].includes(type));
  return {
    first: components.map(firstToken).find(token => token !== undefined),
    notes: postProcessorNotes(unusual.map(({ type }) => type)),
  };
}

/** Of `single`, a list of {SpecialToken} and {Sequence}. */
function firstToken({ type, single }: Json): string | undefined {
  if (type !== 'TemplateProcessing' || !Array.isArray(single)) return undefined;
  const [first] = single;
  const token = isObject(first) ? first.SpecialToken : undefined;
  return isObject(token) && typeof token.id === 'string' ? token.id : undefined;
}
