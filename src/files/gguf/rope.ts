/**
 * How the frequencies of the rotary embedding are scaled, as a GGUF file says it: linear
 * interpolation as metadata, everything else as a tensor, `rope_freqs.weight` [d/2], of factors
 * that the frequencies are divided by (llama.cpp: convert_hf_to_gguf.py,
 * `generate_extra_tensors`).
 *
 * The converter rounds a factor where transformers rounds a frequency, so that frequencies divided
 * by factors are up to a unit in the last place off. Where the factors are those of a Llama 3, its
 * parameters are found again, and the frequencies are those that the model was trained with.
 */

import { check, show } from '../../base/errors.js';
import type { LlamaConfig } from '../../model/config.js';
import { ropeFrequencies } from '../../ops/rope.js';
import type { FactorScaling } from '../../ops/rope-scaling/factors.js';
import type { Llama3Scaling } from '../../ops/rope-scaling/llama3.js';
import type { RopeScaling } from '../../ops/rope-scaling/rope-scaling.js';
import { agree, type Fields, orDefault, positive, size } from '../config-fields.js';
import { shortestDecimal } from './values.js';

/** The tensor of factors; Llama 3.1 and later have it. */
export const ROPE_FACTORS = 'rope_freqs.weight';

const TYPE = 'llama.rope.scaling.type';
const FACTOR = 'llama.rope.scaling.factor';
/** The factor until November 2023, when rope.scaling came. */
const OLD_FACTOR = 'llama.rope.scale_linear';
/** Only a note to llama.cpp, but for yarn. Where it is absent the converter took 8,192. */
const ORIGINAL = 'llama.rope.scaling.original_context_length';
const USUAL_ORIGINAL = 8192;

/** What the frequencies are made of before they are scaled. */
type Frequencies = Pick<LlamaConfig, 'headDim' | 'ropeTheta'>;

/**
 * @param factors the numbers of `rope_freqs.weight`, if there is one
 * @throws {LlamaError} BAD_CONFIG or UNSUPPORTED.
 */
export function readRopeScaling(
  fields: Fields,
  frequencies: Frequencies,
  factors: readonly number[] = [],
): RopeScaling | undefined {
  const factor = linearFactor(fields);
  if (factors.every(each => each === 1)) {
    return factor === 1 ? undefined : { type: 'linear', factor };
  }
  check(
    factor === 1,
    'UNSUPPORTED',
    () =>
      `there is linear interpolation by ${factor} and ${ROPE_FACTORS} with factors of its own; ` +
      'only one of them is implemented: the result would differ',
  );
  const originals = [size(fields, ORIGINAL, USUAL_ORIGINAL), USUAL_ORIGINAL];
  const found = originals
    .map(original => llama3With(original, factors.at(-1)!))
    .find(scaling => isMadeBy(scaling, frequencies, factors));
  return found ?? { type: 'factors', factors };
}

/** Linear interpolation under its two names. As in llama.cpp, a factor without a type is linear. */
function linearFactor(fields: Fields): number {
  const type = orDefault(fields[TYPE], 'linear');
  check(
    type === 'linear' || type === 'none',
    'UNSUPPORTED',
    () =>
      `${TYPE} is ${show(type)}; only "linear" and "none", and Llama 3's factors ` +
      `(${ROPE_FACTORS}), are implemented: the result would differ`,
  );
  const keys = [FACTOR, OLD_FACTOR].filter(key => fields[key] !== undefined);
  const factors = keys.map(key => positive(fields, key));
  const factor = agree(`the factor of position interpolation (${keys.join(', ')})`, factors) ?? 1;
  check(factor >= 1, 'BAD_CONFIG', () => `${keys[0]} is ${factor}, less than 1`);
  check(
    type === 'linear' || factor === 1,
    'BAD_CONFIG',
    () => `${keys[0]} is ${factor}, but ${TYPE} is "none"; without it the factor would be ignored`,
  );
  return factor;
}

/** All published models have these parameters, but for the factor: that of the lowest frequency. */
function llama3With(originalMaxPositionEmbeddings: number, lastFactor: number): Llama3Scaling {
  const factor = shortestDecimal(lastFactor);
  return {
    type: 'llama3',
    ...{ factor, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings },
  };
}

/** A dozen units of float32: more than a converter's roundings add up to. */
const TOLERANCE = 2 ** -20;

function isMadeBy(
  scaling: Llama3Scaling,
  frequencies: Frequencies,
  factors: readonly number[],
): boolean {
  const made = factorsOf(scaling, frequencies);
  return (
    made.length === factors.length &&
    made.every((factor, i) => Math.abs(factors[i] / factor - 1) <= TOLERANCE)
  );
}

function factorsOf(
  scaling: Llama3Scaling | FactorScaling,
  { headDim, ropeTheta }: Frequencies,
): readonly number[] {
  if (scaling.type === 'factors') return scaling.factors;
  const scaled = ropeFrequencies(headDim, ropeTheta, scaling);
  return Array.from(ropeFrequencies(headDim, ropeTheta), (f, i) => Math.fround(f / scaled[i]));
}

/** What `rope_freqs.weight` [d/2] is for `config`; undefined if there is none. */
export function ropeFactors(config: LlamaConfig): readonly number[] | undefined {
  const { ropeScaling } = config;
  return ropeScaling === undefined || ropeScaling.type === 'linear'
    ? undefined
    : factorsOf(ropeScaling, config);
}

/** What is lost of `config` where a GGUF file has factors only: a sentence, or none. */
export function ropeNotes(config: LlamaConfig): string[] {
  const { ropeScaling } = config;
  if (ropeScaling?.type !== 'llama3') return [];
  const fields = { [ORIGINAL]: ropeScaling.originalMaxPositionEmbeddings };
  const read = readRopeScaling(fields, config, ropeFactors(config));
  if (read?.type !== 'factors') return [];
  return [
    `${ROPE_FACTORS} has factors in place of the parameters of llama3 scaling, and these are not ` +
      'known from other models: read from the file, frequencies are up to a unit in the last ' +
      'place off, and a directory cannot be made of it again',
  ];
}
