/**
 * What the files beside a tokenizer say about its tokens, as `from_pretrained` of transformers 4
 * and 5 takes it (tokenization_utils_base.py):
 *
 *     tokenizer_config.json     bos_token, …: special tokens by their part; added_tokens_decoder
 *     special_tokens_map.json   the same parts
 *     added_tokens.json         ids by content
 *
 * Where there is an `added_tokens_decoder`, it is the list, before that of tokenizer.json, and the
 * two other files are not looked at. Without one, special_tokens_map.json goes before
 * tokenizer_config.json, and tokenizer.json's list before added_tokens.json. A special token that
 * has no id anywhere gets the next one. An id that two files give to different tokens is an error.
 */
import { check, show } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { type AddedToken, plainToken } from '../model/added-tokens.js';
import { hasPrefix, sentencePieceSpaces } from '../model/space-rule.js';
import {
  addedTokensOf,
  type SentencePieceModel,
  type TokenizerModel,
} from '../model/tokenizer-model.js';
import { ABSENT, type Piece } from '../model/vocabulary.js';
import { readAddedToken, readId } from './added-token.js';
import { array, type Json, object } from './fields.js';

/** The content of each file; undefined if it is not there. */
export interface TokenFiles {
  readonly config?: unknown;
  readonly specialTokensMap?: unknown;
  readonly addedTokens?: unknown;
}

/** In the order in which transformers gives ids to those that have none. */
const PARTS = [
  ...['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'],
  ...['additional_special_tokens', 'extra_special_tokens'],
];

/**
 * `model` with the tokens that `files` list, in the parts that they give them.
 * @throws {LlamaError} BAD_TOKENIZER if a file is broken, or contradicts another one.
 */
export function withTokenFiles(model: TokenizerModel, files: TokenFiles): TokenizerModel {
  if (Object.values(files).every(content => content === undefined)) return model;
  const parts = partsOf(files);
  const decoder = parts.added_tokens_decoder;
  const named = PARTS.flatMap(part => readSpecials(parts[part], part));
  const list = new TokenList(model);
  if (decoder === undefined) list.addOld(optional(files.addedTokens, 'added_tokens.json'));
  else list.addDecoder(object(decoder, 'added_tokens_decoder'));
  for (const token of named) list.markSpecial(token);
  return list.into(model, idsOf(parts));
}

/** The keys of both files, as far as they count. */
function partsOf({ config, specialTokensMap }: TokenFiles): Json {
  const own = optional(config, 'tokenizer_config.json');
  const map = own.added_tokens_decoder === undefined ? specialTokensMap : undefined;
  return { ...own, ...optional(map, 'special_tokens_map.json') };
}

/**
 * The texts of all tokens that `files` name, by what templates call them: `bos_token`, `eos_token`
 * and so on; null where they say that there is none.
 * @throws {LlamaError} BAD_TOKENIZER if a file is broken.
 */
export function tokenTexts(files: TokenFiles): Map<string, string | null> {
  const texts = new Map<string, string | null>();
  for (const [name, token] of Object.entries(partsOf(files))) {
    const text = isObject(token) ? token.content : token;
    if (name.endsWith('_token') && (typeof text === 'string' || text === null))
      texts.set(name, text);
  }
  return texts;
}

/** The tokens of one part; its id is not known yet. */
type NamedToken = Omit<AddedToken, 'id'>;

/** A token, as its content or with its flags; or a list of them, or an object by more names. */
function readSpecials(value: unknown, part: string): NamedToken[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'string') return value === '' ? [] : [plainToken(0, value, true)];
  if (isObject(value) && typeof value.content === 'string')
    return [{ ...readAddedToken({ normalized: false, ...value }, 0, part), special: true }];
  const several = isObject(value) ? Object.values(value) : array(value, part);
  return several.flatMap(each => readSpecials(each, part));
}

/** The contents of BOS and EOS. */
function idsOf(parts: Json): { bos: string | undefined; eos: string | undefined } {
  const content = (part: string) => readSpecials(parts[part], part)[0]?.content;
  return { bos: content('bos_token'), eos: content('eos_token') };
}

/**
 * A tokenizer.model with the rule of "▁" that tokenizer_config.json gives it, where there is no
 * tokenizer.json, which has its own: `legacy` false is that of 2023. Where it does not say, it is
 * SentencePiece's, as in transformers 4; transformers 5 takes the new one then.
 */
export function withLegacyRule(model: SentencePieceModel, config: unknown): SentencePieceModel {
  const { legacy, add_prefix_space: addPrefixSpace } = optional(config, 'tokenizer_config.json');
  if (!hasPrefix(model.spaces)) return model;
  const isPrefixed = addPrefixSpace !== false;
  if (legacy !== false) return { ...model, spaces: sentencePieceSpaces(isPrefixed) };
  const prefix = isPrefixed ? 'first' : 'never';
  return { ...model, spaces: { normalizer: 'none', prefix, dropsSpace: isPrefixed } };
}

/** The tokens of a model, by content and by id, while more are added. */
class TokenList {
  readonly #pieces: Piece[];
  readonly #ids = new Map<string, number>();
  readonly #listed = new Map<string, AddedToken>();
  /** Those of added_tokens.json, of which no flags are known. */
  readonly #plain = new Set<string>();

  constructor({ vocabulary, addedTokens }: TokenizerModel) {
    this.#pieces = [...vocabulary.pieces];
    for (const [id, { text }] of this.#pieces.entries()) this.#ids.set(text, id);
    const isSign = (type: Piece['type']) => type === 'control' || type === 'unknown';
    for (const token of [...addedTokensOf(this.#pieces, isSign), ...addedTokens])
      this.#listed.set(token.content, token);
  }

  /** Those of added_tokens.json that are not listed yet. */
  addOld(ids: Json): void {
    for (const [content, value] of Object.entries(ids)) {
      const id = readId(value, `added_tokens.json: the id of ${show(content)}`);
      this.#place(content, id, 'added_tokens.json');
      if (this.#listed.has(content)) continue;
      this.#listed.set(content, { ...plainToken(id, content, false), normalized: true });
      this.#plain.add(content);
    }
  }

  /** Those of added_tokens_decoder, with their flags. */
  addDecoder(decoder: Json): void {
    const where = 'added_tokens_decoder of tokenizer_config.json';
    for (const [key, entry] of Object.entries(decoder)) {
      const token = readAddedToken(entry, Number(key), where);
      this.#place(token.content, token.id, where);
      this.#listed.set(token.content, token);
    }
  }

  /**
   * A token that has a part is special. If it has no id, it gets the next one; if no list has its
   * flags, it has those of its part.
   */
  markSpecial(named: NamedToken): void {
    const { content } = named;
    const id = this.#ids.get(content) ?? this.#pieces.length;
    this.#place(content, id, 'the special tokens');
    const listed = this.#plain.has(content) ? undefined : this.#listed.get(content);
    const token = listed ?? { ...named, id };
    this.#listed.set(content, { ...token, id, special: true });
  }

  #place(content: string, id: number, where: string): void {
    const other = this.#ids.get(content) ?? id;
    check(other === id, 'BAD_TOKENIZER', () => {
      return (
        `${show(content)} has id ${id} in ${where}, and ${other} in another file of the ` +
        'tokenizer; correct the wrong one'
      );
    });
    const there = this.#pieces[id] ?? ABSENT;
    check(there.type === 'absent' || there.text === content, 'BAD_TOKENIZER', () => {
      return (
        `id ${id} is ${show(content)} in ${where}, and ${show(there.text)} in another file of ` +
        'the tokenizer; correct the wrong one'
      );
    });
    while (this.#pieces.length <= id) this.#pieces.push(ABSENT);
    if (there.type === 'absent') this.#pieces[id] = { text: content, type: 'user-defined' };
    this.#ids.set(content, id);
  }

  into(
    model: TokenizerModel,
    { bos, eos }: { bos: string | undefined; eos: string | undefined },
  ): TokenizerModel {
    const { vocabulary } = model;
    const pieces = this.#pieces.map((piece, id): Piece => {
      const isNew = vocabulary.pieces[id] !== piece;
      return isNew && this.#listed.get(piece.text)?.special ? { ...piece, type: 'control' } : piece;
    });
    const idOf = (content: string | undefined) => this.#ids.get(content ?? '');
    const ids = {
      unkId: vocabulary.unkId,
      bosId: idOf(bos) ?? vocabulary.bosId,
      eosId: idOf(eos) ?? vocabulary.eosId,
    };
    const addedTokens = [...this.#listed.values()].sort((a, b) => a.id - b.id);
    return { ...model, vocabulary: vocabulary.with(pieces, ids), addedTokens };
  }
}

function optional(content: unknown, name: string): Json {
  return content === undefined ? {} : object(content, name);
}
