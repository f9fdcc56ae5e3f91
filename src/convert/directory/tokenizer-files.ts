/**
 * The tokenizer of a GGUF file as a directory has it: tokenizer.model, or, of pieces of bytes,
 * tokenizer.json; and tokenizer_config.json, which lists its added tokens. A tokenizer.model by
 * itself lists none: special tokens would be text.
 */
import { addedTokenEntry, writeTokenizerJson } from '../../tokenizer/json/writer.js';
import { hasPrefix } from '../../tokenizer/model/space-rule.js';
import type { TokenizerModel } from '../../tokenizer/model/tokenizer-model.js';
import { writeSentencePieceModel } from '../../tokenizer/sentencepiece/writer.js';
import { fileWith, type OutputFile } from '../output.js';

/** Throws what `writeSentencePieceModel` throws. */
export function tokenizerFiles(model: TokenizerModel): OutputFile[] {
  const config = { ...commonConfig(model), ...configOfKind(model) };
  const content = `${JSON.stringify(config, null, 2)}\n`;
  return [ownFile(model), fileWith('tokenizer_config.json', Buffer.from(content))];
}

function ownFile(model: TokenizerModel): OutputFile {
  return model.kind === 'byte-level'
    ? fileWith('tokenizer.json', Buffer.from(writeTokenizerJson(model)))
    : fileWith('tokenizer.model', writeSentencePieceModel(model));
}

/** As transformers 4 writes it, and 5 reads it. */
function commonConfig({ vocabulary, addedTokens }: TokenizerModel) {
  const textOf = (id: number | undefined) => (id === undefined ? null : vocabulary.pieces[id].text);
  return {
    added_tokens_decoder: Object.fromEntries(
      addedTokens.map(token => [token.id, addedTokenEntry(token)]),
    ),
    bos_token: textOf(vocabulary.bosId),
    clean_up_tokenization_spaces: false,
    eos_token: textOf(vocabulary.eosId),
    unk_token: textOf(vocabulary.unkId),
  };
}

/** `legacy` is SentencePiece's rule of "▁". */
function configOfKind(model: TokenizerModel) {
  if (model.kind === 'byte-level') return { tokenizer_class: 'PreTrainedTokenizerFast' };
  return {
    add_bos_token: true,
    add_eos_token: false,
    add_prefix_space: hasPrefix(model.spaces),
    legacy: true,
    tokenizer_class: 'LlamaTokenizer',
  };
}
