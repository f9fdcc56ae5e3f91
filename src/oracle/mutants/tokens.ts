/** Bugs of what comes before the model: another text than the one that was meant. */
import { ArrayPast } from '../run/array-past.js';
import type { Setup, Step } from '../run/setup.js';
import { each, type Mutant, one, unlessOtherTokens, type Variant } from './mutant.js';

/** Contexts that engines begin with. */
const CONTEXTS = [512, 2048];

/** Steps at positions from 0 on. */
const withSteps = (setup: Setup, steps: readonly Step[]): Setup => ({
  ...setup,
  steps: steps.map((step, position) => ({ ...step, position })),
  past: new ArrayPast(setup.config, steps.length),
});

const repeatFirst = (setup: Setup): Setup =>
  withSteps(setup, [{ ...setup.steps[0], place: undefined }, ...setup.steps]);

const keepLast = (setup: Setup, count: number): Setup =>
  withSteps(setup, setup.steps.slice(-count));

const half = (tokens: number): number => Math.floor(tokens / 2);

const cutAt = (tokens: number): Variant[] => [
  { what: 'n = T/2', apply: setup => keepLast(setup, half(setup.steps.length)) },
  ...each(
    CONTEXTS.filter(size => size < tokens && size !== half(tokens)),
    size => `n = ${size}`,
    keepLast,
  ),
];

const unlessTwoTokens = (_: unknown, tokens: number): string | undefined =>
  tokens > 1 ? undefined : 'there is one token, and none without it';

export const TOKENS: readonly Mutant[] = [
  {
    id: 'tokens.bos-missing',
    name: 'Tokens: the first one is missing',
    explains:
      'The text begins without its first token, which is <s>: everything is one position ' +
      'earlier, and attention has lost where it rests.',
    fix:
      'Let the tokenizer add it: add_bos_token, tokenizer.ggml.add_bos_token, ' +
      'add_special_tokens; a server that is given text may not.',
    references: [
      'https://github.com/abetlen/llama-cpp-python/issues/1537',
      'https://github.com/Lightning-AI/litgpt/commit/a91b5206',
    ],
    equivalent: unlessTwoTokens,
    variants: (_, tokens) =>
      tokens > 1 ? [{ what: '', apply: setup => withSteps(setup, setup.steps.slice(1)) }] : [],
  },
  {
    id: 'tokens.bos-twice',
    name: 'Tokens: the first one is there twice',
    explains:
      'The text begins with <s><s>: the template wrote one and the tokenizer added another. ' +
      'Everything is one position later.',
    fix:
      'Tokenize templated text with add_special_tokens=False; in llama.cpp leave <s> out of the ' +
      'prompt, or set tokenizer.ggml.add_bos_token to false.',
    references: [
      'https://github.com/ggml-org/llama.cpp/issues/7107',
      'https://github.com/vllm-project/vllm/issues/16976',
      'https://github.com/TransformerLensOrg/TransformerLens/issues/369',
      'https://github.com/Lightning-AI/litgpt/issues/1565',
    ],
    equivalent: unlessOtherTokens,
    variants: one(repeatFirst),
  },
  {
    id: 'tokens.cut',
    name: 'Tokens: only the last ones are seen',
    explains:
      'The text was cut to the context that the engine has, and begins later: rows before have ' +
      'no logits, and positions count from where it begins.',
    fix:
      'Raise the context: num_ctx in Ollama, --ctx-size in llama.cpp, --max-model-len in vLLM; ' +
      'refuse what does not fit. The number of prompt tokens in the reply tells.',
    needsWholeText: true,
    references: [
      'https://github.com/ollama/ollama/issues/3839',
      'https://github.com/ollama/ollama/issues/17427',
    ],
    equivalent: unlessTwoTokens,
    variants: (_, tokens) => (tokens > 1 ? cutAt(tokens) : []),
  },
];
