/**
 * Writing tokenizer.json, for a byte-level tokenizer that comes from a GGUF file: what
 * `tokenizer-json.ts` reads, and Hugging Face's `tokenizers`.
 */
import type { AddedToken } from '../model/added-tokens.js';
import type { ByteLevelRule } from '../model/byte-level-rule.js';
import type { ByteLevelModel } from '../model/tokenizer-model.js';

/** An added token as Hugging Face's files have it, without its id. */
export function addedTokenEntry(token: AddedToken) {
  const { content, lstrip, normalized, rstrip, singleWord, special } = token;
  return { content, lstrip, normalized, rstrip, single_word: singleWord, special };
}

/** The content of a tokenizer.json for `model`. */
export function writeTokenizerJson(model: ByteLevelModel): string {
  const { vocabulary, merges, rule, addedTokens, fusesUnknown = true } = model;
  const textOf = (id: number) => vocabulary.pieces[id].text;
  const own = [...vocabulary.pieces.entries()].filter(([, { type }]) => type !== 'absent');
  const byteLevel = { type: 'ByteLevel', trim_offsets: true };
  const file = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens.map(token => ({ id: token.id, ...addedTokenEntry(token) })),
    normalizer: rule.normalizer === 'none' ? null : { type: rule.normalizer },
    pre_tokenizer: preTokenizer(rule),
    post_processor: postProcessor(model),
    decoder: { ...byteLevel, add_prefix_space: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: vocabulary.unkId === undefined ? null : textOf(vocabulary.unkId),
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: fusesUnknown,
      byte_fallback: false,
      ignore_merges: rule.ignoreMerges,
      vocab: Object.fromEntries(own.map(([id, { text }]) => [text, id])),
      merges: merges.pairs().map(pair => pair.map(textOf)),
    },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Puts BOS in front, if texts begin with it. */
function postProcessor({ vocabulary: { bosId, pieces }, addsBos = true }: ByteLevelModel) {
  if (!addsBos || bosId === undefined) return null;
  const { text } = pieces[bosId];
  const bos = { SpecialToken: { id: text, type_id: 0 } };
  const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } });
  return {
    type: 'TemplateProcessing',
    single: [bos, sequence('A')],
    pair: [bos, sequence('A'), bos, sequence('B')],
    special_tokens: { [text]: { id: text, ids: [bosId], tokens: [text] } },
  };
}

function preTokenizer({ splits, addPrefixSpace, useRegex }: ByteLevelRule) {
  return {
    type: 'Sequence',
    pretokenizers: [
      ...splits.map(({ pattern, behavior, invert }) => {
        return { type: 'Split', pattern: { Regex: pattern }, behavior, invert };
      }),
      {
        type: 'ByteLevel',
        add_prefix_space: addPrefixSpace,
        trim_offsets: true,
        use_regex: useRegex,
      },
    ],
  };
}
