/**
 * How Hugging Face's config.json becomes a configuration.
 *
 * Defaults are those of transformers' LlamaConfig (configuration_llama.py, 4.57 and 5.24). What
 * would change the result and is not implemented is refused by name. What changes nothing in
 * transformers changes nothing here: it is passed over, and named in a note unless it is usual
 * (`keys.ts` lists what is).
 */

import { check, show } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { checkConfig, type LlamaConfig } from '../../model/config.js';
import { boolean, type Fields, orDefault, positive, size } from '../config-fields.js';
import {
  HARMLESS_KEYS,
  IMPLEMENTED_VALUES,
  KEYS_READ,
  KNOWN_ARCHITECTURES,
  NULLABLE_KEYS,
} from './keys.js';
import { parseRope } from './rope.js';

/** A configuration, and what its file says besides that changes nothing. */
export interface ParsedConfig {
  readonly config: LlamaConfig;
  /** A sentence each, without the name of the file. */
  readonly notes: readonly string[];
}

type Note = (text: string) => void;

/** The configuration that `raw`, the parsed config.json, describes; throws as `readConfig` does. */
export const parseConfig = (raw: unknown): LlamaConfig => readConfig(raw).config;

/**
 * The configuration that `raw`, the parsed config.json, describes, and notes.
 *
 * @throws {LlamaError} BAD_CONFIG if a value is missing, of the wrong type or range, or contradicts
 * another one; UNSUPPORTED if it asks for another model than this one.
 */
export function readConfig(raw: unknown): ParsedConfig {
  check(isObject(raw), 'BAD_CONFIG', () => `config.json is ${show(raw)}, not an object`);
  const notes: string[] = [];
  const note = (text: string) => notes.push(text);
  checkKeys(raw, note);
  const json = Object.fromEntries(
    Object.entries(raw).filter(([key, value]) => value !== null || !NULLABLE_KEYS.has(key)),
  );
  const numAttentionHeads = size(json, 'num_attention_heads');
  const hiddenSize = size(json, 'hidden_size');
  const vocabSize = size(json, 'vocab_size');
  const config: LlamaConfig = {
    vocabSize,
    hiddenSize,
    intermediateSize: size(json, 'intermediate_size'),
    numHiddenLayers: size(json, 'num_hidden_layers'),
    numAttentionHeads,
    numKeyValueHeads: size(json, 'num_key_value_heads', numAttentionHeads),
    headDim:
      json.head_dim === undefined
        ? headDimOf(hiddenSize, numAttentionHeads)
        : size(json, 'head_dim'),
    rmsNormEps: positive(json, 'rms_norm_eps', 1e-6),
    ...parseRope(json, note),
    maxPositionEmbeddings: size(json, 'max_position_embeddings', 2048),
    tieWordEmbeddings: boolean(json, 'tie_word_embeddings', false),
    bosTokenId: parseTokenIds('bos_token_id', orDefault(json.bos_token_id, 1), vocabSize, note)[0],
    eosTokenIds: parseTokenIds('eos_token_id', orDefault(json.eos_token_id, 2), vocabSize, note),
  };
  checkConfig(config);
  return { config, notes };
}

/**
 * The ids in `bos_token_id` or `eos_token_id` of config.json or generation_config.json, which is
 * one id, an array of them, or null for none. An integer that is no id of the vocabulary, as −1,
 * stands for none too: no text ever has it.
 *
 * @throws {LlamaError} BAD_CONFIG if it is anything else.
 */
export function parseTokenIds(
  key: string,
  value: unknown,
  vocabSize: number,
  note: Note,
): number[] {
  const given: readonly unknown[] = value === null ? [] : Array.isArray(value) ? value : [value];
  check(
    given.every(id => Number.isInteger(id)),
    'BAD_CONFIG',
    () => `${key} is ${show(value)}; it must be a token id, an array of them, or null`,
  );
  const ids = [...new Set(given as number[])].filter(id => id >= 0 && id < vocabSize);
  if ((given as number[]).some(id => !ids.includes(id))) {
    note(`${key} is ${show(value)}, and the vocabulary ends at ${vocabSize - 1}: never met`);
  }
  return ids;
}

/** Refuses other models and options that are not implemented. */
function checkKeys(json: Fields, note: Note): void {
  checkModelType(json, note);
  for (const [key, value] of Object.entries(json)) {
    const implemented = IMPLEMENTED_VALUES.get(key);
    if (implemented === undefined) continue;
    check(
      // not JSON.stringify: to it NaN is null, and a cycle an error
      implemented.some(good => show(good) === show(value)) || isAllFull(key, value),
      'UNSUPPORTED',
      () =>
        `${key} is ${show(value)}; implemented is only ${implemented.map(show).join(' or ')}: ` +
        'the result would differ',
    );
  }
  const unknown = Object.entries(json).filter(
    ([key]) => !KEYS_READ.has(key) && !IMPLEMENTED_VALUES.has(key) && !HARMLESS_KEYS.has(key),
  );
  if (unknown.length > 0) {
    const listed = unknown.map(([key, value]) => `${show(key)}: ${show(value)}`);
    note(`passed over, as by transformers' Llama, which reads none of them: ${listed.join(', ')}`);
  }
}

function checkModelType({ model_type, architectures }: Fields, note: Note): void {
  check(
    model_type === 'llama',
    model_type === undefined ? 'BAD_CONFIG' : 'UNSUPPORTED',
    () => `model_type is ${show(model_type)}; only "llama" is implemented`,
  );
  const given = architectures ?? ['LlamaForCausalLM'];
  if (!KNOWN_ARCHITECTURES.has(show(given))) {
    note(
      `architectures is ${show(given)}; run as LlamaForCausalLM, as transformers' ` +
        'AutoModelForCausalLM does for model_type "llama"',
    );
  }
}

/** All layers alike is what there is. */
const isAllFull = (key: string, value: unknown): boolean =>
  key === 'layer_types' && Array.isArray(value) && value.every(type => type === 'full_attention');

function headDimOf(hiddenSize: number, heads: number): number {
  check(
    hiddenSize % heads === 0,
    'BAD_CONFIG',
    () =>
      `hidden_size ${hiddenSize} is not a multiple of num_attention_heads ${heads}, and no ` +
      'head_dim is given',
  );
  return hiddenSize / heads;
}
