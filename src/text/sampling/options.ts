/** The options of choosing a token, in the order in which they act; `sampler.ts` uses them. */
import { biases, idLists, integer, number, type OptionTable } from '../../base/options.js';

/** How the next token is chosen from its logits. */
export interface SamplingOptions {
  /**
   * What to add to the logits of some tokens, by id: OpenAI's logit_bias, and transformers'
   * sequence_bias of single tokens. −Infinity bans a token. Default: nothing.
   */
  readonly logitBias?: Readonly<Record<number, number>> | undefined;
  /** > 1 makes tokens of the text so far less likely. Default 1: no change. */
  readonly repetitionPenalty?: number | undefined;
  /**
   * To subtract from a token's logit for each time that the output has it already, as OpenAI and
   * vLLM have it. Default 0: no change.
   */
  readonly frequencyPenalty?: number | undefined;
  /** To subtract from the logit of every token that the output has already. Default 0. */
  readonly presencePenalty?: number | undefined;
  /** So many tokens in a row come only once in prompt and output. Default 0: as often as may be. */
  readonly noRepeatNgramSize?: number | undefined;
  /** Tokens in a row, one or more, that are not said. Default: none. */
  readonly badWordsIds?: readonly (readonly number[])[] | undefined;
  /**
   * No stop token before there are so many tokens with the prompt's, as Hugging Face counts
   * min_length; a stop string ends the text all the same. Default 0.
   */
  readonly minLength?: number | undefined;
  /** No stop token before there are so many after the prompt. If both are given, both hold. */
  readonly minNewTokens?: number | undefined;
  /**
   * 0 is greedy: the likeliest token, the lowest id among equals. 1 leaves the model's distribution
   * alone. Default 0.
   */
  readonly temperature?: number | undefined;
  /** Keep the k likeliest tokens. Default 0: all. */
  readonly topK?: number | undefined;
  /**
   * Keep the likeliest tokens that together have more than this probability, 0 … 1. Default 1: all.
   */
  readonly topP?: number | undefined;
  /** Drop tokens less likely than this fraction, 0 … 1, of the likeliest. Default 0: none. */
  readonly minP?: number | undefined;
  /**
   * Keep the tokens whose surprise is nearest to the expected one, until they have this probability
   * together, above 0 … 1. Default 1: all.
   */
  readonly typicalP?: number | undefined;
  /** Integer, 0 … 2^53 − 1. Default: random. */
  readonly seed?: number | undefined;
}

export const SAMPLING: OptionTable<SamplingOptions> = {
  logitBias: {
    range: biases,
    default: {},
    value: 'BIAS',
    help:
      'A token id and what to add to its logit, such as 15:-2.5; -Infinity bans it. May be given ' +
      'several times.',
  },
  repetitionPenalty: {
    range: number(Number.MIN_VALUE),
    default: 1,
    otherwise: 'off',
    value: 'R',
    help: 'Above 1 makes tokens that are in the text already less likely.',
  },
  frequencyPenalty: {
    range: number(-Number.MAX_VALUE),
    default: 0,
    otherwise: 'off',
    value: 'F',
    help: 'Subtract F from the logit of a token for each time that the output has it.',
  },
  presencePenalty: {
    range: number(-Number.MAX_VALUE),
    default: 0,
    otherwise: 'off',
    value: 'P',
    help: 'Subtract P from the logits of tokens that the output has.',
  },
  noRepeatNgramSize: {
    range: integer(0),
    default: 0,
    otherwise: 'off',
    value: 'N',
    help: 'N tokens in a row come only once in prompt and output.',
  },
  badWordsIds: {
    range: idLists,
    default: [],
    value: 'IDS',
    help: 'Never say these tokens in a row, such as 7,8; may be given several times.',
  },
  minLength: {
    range: integer(0),
    default: 0,
    value: 'N',
    help: "No stop token before there are N tokens with the prompt's.",
  },
  minNewTokens: {
    range: integer(0),
    default: 0,
    value: 'N',
    help: 'No stop token before there are N new tokens.',
  },
  temperature: {
    range: number(0),
    default: 0,
    otherwise: 'greedy, the likeliest token',
    value: 'T',
    help: 'Above 0: draw at random; 1 is as the model says.',
  },
  topK: {
    range: integer(0),
    default: 0,
    otherwise: 'from all',
    owner: 'sampling',
    value: 'K',
    help: 'Draw from the K likeliest tokens.',
  },
  topP: {
    range: number(0, 1),
    default: 1,
    otherwise: 'from all',
    owner: 'sampling',
    value: 'P',
    help: 'Draw from the likeliest that have probability P together.',
  },
  minP: {
    range: number(0, 1),
    default: 0,
    otherwise: 'from all',
    owner: 'sampling',
    value: 'P',
    help: 'Not those less likely than P times the likeliest.',
  },
  typicalP: {
    range: number(Number.MIN_VALUE, 1),
    default: 1,
    otherwise: 'from all',
    owner: 'sampling',
    value: 'P',
    help: 'Draw from those of nearly the expected surprise that have probability P together.',
  },
  seed: {
    range: integer(0),
    otherwise: 'random, told by --json',
    value: 'S',
    help: 'Integer; the same seed draws the same tokens.',
  },
};
