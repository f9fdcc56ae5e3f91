/**
 * The tokenizer of a GGUF file as a directory has it: tokenizer.model, and tokenizer_config.json,
 * which lists its added tokens. A tokenizer.model by itself lists none: special tokens would be
 * text.
 */
import type { AddedToken } from '../../tokenizer/model/added-tokens.js';
import { hasPrefix } from '../../tokenizer/model/space-rule.js';
import type { TokenizerModel } from '../../tokenizer/model/tokenizer-model.js';
import { writeSentencePieceModel } from '../../tokenizer/sentencepiece/writer.js';
import { fileWith, type OutputFile } from '../output.js';

/** Throws what `writeSentencePieceModel` throws. */
export function tokenizerFiles(model: TokenizerModel): OutputFile[] {
  const config = `${JSON.stringify(tokenizerConfig(model), null, 2)}\n`;
  return [
    fileWith('tokenizer.model', writeSentencePieceModel(model)),
    fileWith('tokenizer_config.json', Buffer.from(config)),
  ];
}

/** As transformers 4 writes it, and 5 reads it; `legacy` is SentencePiece's rule of "▁". */
function tokenizerConfig({ vocabulary, addedTokens, spaces }: TokenizerModel) {
  const textOf = (id: number | undefined) => (id === undefined ? null : vocabulary.pieces[id].text);
  return {
    add_bos_token: true,
    add_eos_token: false,
    add_prefix_space: hasPrefix(spaces),
    added_tokens_decoder: Object.fromEntries(addedTokens.map(token => [token.id, entry(token)])),
    bos_token: textOf(vocabulary.bosId),
    clean_up_tokenization_spaces: false,
    eos_token: textOf(vocabulary.eosId),
    legacy: true,
    tokenizer_class: 'LlamaTokenizer',
    unk_token: textOf(vocabulary.unkId),
  };
}

function entry({ content, lstrip, normalized, rstrip, singleWord, special }: AddedToken) {
  return { content, lstrip, normalized, rstrip, single_word: singleWord, special };
}
