/** The options of choosing a token, in the order in which they act; `sampler.ts` uses them. */
import { integer, number, type OptionTable } from '../../base/options.js';

export interface SamplingOptions {
  /** > 1 makes tokens of the text so far less likely. Default 1: no change. */
  readonly repetitionPenalty?: number | undefined;
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
  /** Integer, 0 … 2^53 − 1. Default: random. */
  readonly seed?: number | undefined;
}

export const SAMPLING: OptionTable<SamplingOptions> = {
  repetitionPenalty: {
    range: number(Number.MIN_VALUE),
    default: 1,
    otherwise: 'off',
    value: 'R',
    help: 'Above 1 makes tokens that are in the text already less likely.',
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
  seed: {
    range: integer(0),
    otherwise: 'random, told by --json',
    value: 'S',
    help: 'Integer; the same seed draws the same tokens.',
  },
};
