/**
 * The rules that GGUF files have one word for, `tokenizer.ggml.pre`: llama.cpp's table
 * (llama-vocab.cpp), with the regular expressions of the tokenizer.json that each model was
 * published with. Where llama.cpp writes one otherwise, because std::regex lacks something, it
 * means the same.
 *
 * Not here: words for which llama.cpp does more than to cut (falcon's parts, kimi-k2, superbpe,
 * gemma4 and others), and models that are no Llamas.
 */
import type { ByteLevelRule, Split } from '../model/byte-level-rule.js';
import { GPT2_PATTERN } from './splitter.js';

export interface KnownRule {
  /** What `tokenizer.ggml.pre` has for it; the first is written. */
  readonly names: readonly [string, ...string[]];
  readonly rule: ByteLevelRule;
  /** Whether texts begin with BOS where a file does not say it. Default false. */
  readonly addsBos?: boolean;
}

const isolated = (pattern: string): Split => ({ pattern, behavior: 'Isolated', invert: false });

/** `pre_tokenizers.Digits(individual_digits=True)` */
export const ONE_DIGIT = isolated(String.raw`\p{N}`);
/** `pre_tokenizers.Digits(individual_digits=False)` */
export const DIGITS = isolated(String.raw`\p{N}+`);

const GPT2 = isolated(GPT2_PATTERN);

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

/** Contractions, words with one character before them, punctuation, lines, spaces. */
const newer = (digits: string): Split =>
  isolated(
    String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}` +
      String.raw`| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  );

const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;

/** Words are cut where small letters end, too: "camelCase". `end`: what belongs to a word. */
const cased = (end: string, digits: string): Split =>
  isolated(
    String.raw`[^\r\n\p{L}\p{N}]?${UPPER}*${LOWER}+${end}` +
      String.raw`|[^\r\n\p{L}\p{N}]?${UPPER}+${LOWER}*${end}|${digits}` +
      String.raw`| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  );

const rule = (splits: readonly Split[], ignoreMerges = false): ByteLevelRule => ({
  normalizer: 'none',
  splits,
  addPrefixSpace: false,
  useRegex: false,
  ignoreMerges,
});

/** Of rules that are alike, the first is the one that is written. */
export const KNOWN_RULES: readonly KnownRule[] = [
  {
    names: ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0'],
    rule: rule([newer(String.raw`\p{N}{1,3}`)], true),
    addsBos: true,
  },
  {
    names: ['smaug-bpe', 'dbrx', 'chatglm-bpe', 'glm4'],
    rule: rule([newer(String.raw`\p{N}{1,3}`)]),
  },
  {
    names: ['seed-coder'],
    rule: rule([
      isolated(
        String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}` +
          String.raw`| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+`,
      ),
    ]),
  },
  {
    names: ['bailingmoe', 'bailingmoe2', 'llada-moe'],
    rule: rule([
      isolated(
        String.raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}` +
          String.raw`| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`,
      ),
    ]),
  },
  {
    names: ['tekken'],
    rule: rule([cased('', String.raw`\p{N}`)], true),
    addsBos: true,
  },
  {
    names: ['gpt-4o', 'llama4', 'kanana2'],
    rule: rule([cased(`${CONTRACTIONS}?`, String.raw`\p{N}{1,3}`)]),
  },
  {
    names: ['qwen2', 'stablelm2', 'deepseek-r1-qwen', 'megrez', 'hunyuan', 'grok-2', 'solar-open'],
    rule: rule([newer(String.raw`\p{N}`)]),
  },
  {
    names: ['gpt-2', 'phi-2', 'mpt', 'olmo', 'jais', 'trillion', 'exaone4', 'gigachat', 'mellum'],
    rule: rule([GPT2]),
  },
  {
    names: ['smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b'],
    rule: rule([ONE_DIGIT, GPT2]),
  },
  {
    names: ['deepseek-coder'],
    rule: rule([
      isolated(String.raw`[\r\n]`),
      isolated(String.raw`\s?\p{L}+`),
      isolated(String.raw`\s?\p{P}+`),
      isolated('[一-龥ࠀ-一가-퟿]+'),
      ONE_DIGIT,
    ]),
  },
  {
    names: ['default'],
    rule: rule([
      isolated(String.raw`[\p{P}\$\+<=>\^~\|]+`),
      GPT2,
      DIGITS,
      isolated('[0-9][0-9][0-9]'),
    ]),
  },
];

/** What `tokenizer.ggml.pre` names so; undefined if it is not known. */
export function ruleNamed(name: string): KnownRule | undefined {
  return KNOWN_RULES.find(({ names }) => names.includes(name));
}

/** What `tokenizer.ggml.pre` calls `rule`; undefined if it has no word for it. */
export function nameOfRule(rule: ByteLevelRule): string | undefined {
  const key = keyOf(rule);
  return KNOWN_RULES.find(known => keyOf(known.rule) === key)?.names[0];
}

/** The same for rules that do the same. */
function keyOf({ splits, useRegex, ...others }: ByteLevelRule): string {
  return JSON.stringify([useRegex ? [...splits, GPT2] : splits, others]);
}
