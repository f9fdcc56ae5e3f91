/**
 * Linear position interpolation (Chen et al., arXiv:2306.15595, eq. 4): every position is divided
 * by the same factor,
 *
 *   angle(p, i) = (p / factor) · θ^(−2i/d)
 *
 * A model trained on 4,096 positions has never seen an angle beyond 4,095·θ^(−2i/d). With factor 8,
 * position 32,767 turns by no more than that: positions are squeezed into the trained range instead
 * of running out of it. A factor that is ignored or inverted (× 8 for ÷ 8) leaves position 0
 * perfect and everything after it wrong.
 *
 * Numerics: the factor divides the frequency, as transformers ≥ 4.43 does it, in float32; for a
 * power of two, dividing the position first gives the same bits.
 */

/** Position p is rotated as p / factor. */
export interface LinearScaling {
  readonly type: 'linear';
  readonly factor: number;
}

/** Divides the frequencies [d/2] by the factor, in place. */
export function scaleLinear(frequencies: Float32Array, { factor }: LinearScaling): void {
  for (let i = 0; i < frequencies.length; i++) {
    frequencies[i] = Math.fround(frequencies[i] / Math.fround(factor));
  }
}
