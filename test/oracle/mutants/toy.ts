/**
 * A random model in which bugs show, as setups: grouped heads, sizes that divide by nothing, small
 * embeddings, norm weights away from 1, a head of its own, and attention that is sharp.
 */
import type { Floats } from '../../../src/base/tensor.js';
import { CheckpointWeights } from '../../../src/engines/exact/checkpoint-weights.js';
import { ExactKernels } from '../../../src/engines/exact/exact-kernels.js';
import type { LlamaConfig } from '../../../src/model/config.js';
import type { Mutant, Variant } from '../../../src/oracle/mutants/mutant.js';
import { MUTANTS } from '../../../src/oracle/mutants/mutants.js';
import { ArrayPast } from '../../../src/oracle/run/array-past.js';
import { run } from '../../../src/oracle/run/run.js';
import { type Setup, stepsOf } from '../../../src/oracle/run/setup.js';
import { randomCheckpoint } from '../../support/random-model.js';
import { noise } from '../../support/tensors.js';

export const TOY: LlamaConfig = {
  vocabSize: 264,
  hiddenSize: 66,
  intermediateSize: 173,
  numHiddenLayers: 2,
  numAttentionHeads: 6,
  numKeyValueHeads: 2,
  headDim: 22,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: { type: 'linear', factor: 8 },
  maxPositionEmbeddings: 32768,
  tieWordEmbeddings: false,
  bosTokenId: 1,
  eosTokenIds: [2],
};

/** Standard deviations, by the last part of the name: see `reference/models.py`. */
function deviationOf(name: string, columns: number): number {
  const unit = columns ** -0.5;
  const stream = 3e-5 ** 0.5;
  const kind = name
    .replace(/\.weight$/, '')
    .split('.')
    .at(-1)!;
  const deviations: Record<string, number> = {
    embed_tokens: stream,
    lm_head: 2.5 * unit,
    q_proj: 3 ** 0.5 * unit,
    k_proj: 3 ** 0.5 * unit,
    v_proj: unit,
    gate_proj: 1.5 * unit,
    up_proj: unit,
    o_proj: 1.5 * stream * unit,
    down_proj: 1.5 * stream * unit,
  };
  return deviations[kind];
}

/** Uniform numbers in (−1/16, 1/16), as random checkpoints have them, have this one. */
const UNIFORM = 1 / 16 / 3 ** 0.5;

/** The toy, or one of other sizes, about to read `tokens` random ids that begin with 1. */
export function toySetup(tokens: number, changes: Partial<LlamaConfig> = {}): Setup {
  const config = { ...TOY, ...changes };
  const checkpoint = randomCheckpoint(config, 'F32', (name, numbers, [, columns]) =>
    columns === undefined
      ? numbers.map(w => 1 + 2 * (w - 1)) // 0.5 … 1.5
      : numbers.map(x => (x / UNIFORM) * deviationOf(name, columns)),
  );
  const kernels = new ExactKernels('f64');
  const ids = noise(tokens, 7).subarray(1);
  const others = Array.from(ids, x => 3 + Math.floor(((x + 1) / 2) * (config.vocabSize - 3)));
  return {
    config,
    weights: new CheckpointWeights(config, checkpoint, kernels, Infinity),
    kernels,
    steps: stepsOf([1, ...others]),
    past: new ArrayPast(config, tokens),
  };
}

/** Logits [places, V] of a setup. */
export async function logitsOf(setup: Setup, places: readonly number[]): Promise<Float64Array> {
  const traced = await run(setup, new Map([['lm_head', places]]));
  return traced.get('lm_head')!.data as Float64Array;
}

/** For each place ‖x − truth‖ / ‖truth‖; NaN where x has one. */
export function relativeErrors(x: Floats, truth: Floats, places: number): number[] {
  const width = truth.length / places;
  return Array.from({ length: places }, (_, place) => {
    let error = 0;
    let size = 0;
    for (let i = place * width; i < (place + 1) * width; i++) {
      error += (x[i] - truth[i]) ** 2;
      size += truth[i] ** 2;
    }
    return Math.sqrt(error / size);
  });
}

/** The largest that is a number. */
export const worst = (errors: readonly number[]): number =>
  Math.max(...errors.filter(error => !Number.isNaN(error)));

/** One form of a mutant. */
export interface Case {
  readonly mutant: Mutant;
  readonly variant: Variant;
  /** As goldens are named. */
  readonly name: string;
}

/** All that there are of a setup. */
export const casesOf = ({ config, steps }: Setup): Case[] =>
  MUTANTS.flatMap(mutant =>
    mutant.variants(config, steps.length).map(variant => ({
      mutant,
      variant,
      name: variant.what === '' ? mutant.id : `${mutant.id}|${variant.what}`,
    })),
  );

/** The setup with these mutants, each in its first form, upon one another. */
export const withMutants = (setup: Setup, ...ids: string[]): Setup =>
  ids.reduce(
    (changed, id) =>
      casesOf(setup)
        .find(({ mutant }) => mutant.id === id)!
        .variant.apply(changed),
    setup,
  );

export const everyPlace = ({ steps }: Setup): number[] => [...steps.keys()];
