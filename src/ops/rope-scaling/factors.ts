/**
 * A factor for each frequency, as a GGUF file has them (`rope_freqs.weight`): whatever a model's
 * scaling is, llama.cpp is told only what it divides by,
 *
 *   angle(p, i) = p · θ^(−2i/d) / factor[i]
 *
 * Numerics: one division in float32.
 */

/** Frequency i is divided by factors[i]. */
export interface FactorScaling {
  readonly type: 'factors';
  /** [d/2], as float32. */
  readonly factors: readonly number[];
}

/** Divides the frequencies [d/2] one by one, in place. */
export function scaleByFactors(frequencies: Float32Array, { factors }: FactorScaling): void {
  for (let i = 0; i < frequencies.length; i++) {
    frequencies[i] = Math.fround(frequencies[i] / Math.fround(factors[i]));
  }
}
