/**
 * The scaling of Llama 3.1 and later (Meta's llama-models, `apply_scaling` in model.py; The Llama 3
 * Herd of Models, arXiv:2407.21783, tells of the long context only): high frequencies, which tell
 * neighbours apart, stay as they are; low ones, which turn less than once in the original context
 * of L positions, are interpolated; those between are blended. With λ = 2π / f, the wavelength of
 * the frequency f in positions:
 *
 *   f                                 λ < L / high
 *   f / factor                        λ > L / low
 *   (1 − s) · f / factor + s · f      between, with s = (L / λ − low) / (high − low)
 *
 * Numerics: float32, in the order of transformers' `_compute_llama3_parameters`. A number divided
 * by a tensor is, in PyTorch, its reciprocal times the number: two roundings.
 */

/** By wavelength: the short ones stay, the long ones are interpolated by the factor. */
export interface Llama3Scaling {
  readonly type: 'llama3';
  /** Long wavelengths are stretched by it: 8 in Llama 3.1, 32 in Llama 3.2. */
  readonly factor: number;
  /** Wavelengths above originalMaxPositionEmbeddings / lowFreqFactor are long: usually 1. */
  readonly lowFreqFactor: number;
  /** Wavelengths below originalMaxPositionEmbeddings / highFreqFactor are short: usually 4. */
  readonly highFreqFactor: number;
  /** L, the positions that the model was first trained on: usually 8,192. */
  readonly originalMaxPositionEmbeddings: number;
}

const { fround } = Math;

/** Scales the frequencies [d/2] in place. */
export function scaleLlama3(frequencies: Float32Array, scaling: Llama3Scaling): void {
  const { lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings } = scaling;
  const short = fround(originalMaxPositionEmbeddings / highFreqFactor);
  const long = fround(originalMaxPositionEmbeddings / lowFreqFactor);
  for (let i = 0; i < frequencies.length; i++) {
    const frequency = frequencies[i];
    const wavelength = fround(fround(1 / frequency) * fround(2 * Math.PI));
    if (wavelength < short) continue;
    frequencies[i] =
      wavelength > long
        ? fround(frequency / fround(scaling.factor))
        : blend(frequency, wavelength, scaling);
  }
}

function blend(frequency: number, wavelength: number, scaling: Llama3Scaling): number {
  const { lowFreqFactor: low, highFreqFactor: high, originalMaxPositionEmbeddings } = scaling;
  const turns = fround(fround(1 / wavelength) * fround(originalMaxPositionEmbeddings)); // in L
  const smooth = fround(fround(turns - fround(low)) / fround(high - low));
  const interpolated = fround(fround(fround(1 - smooth) * frequency) / fround(scaling.factor));
  return fround(interpolated + fround(smooth * frequency));
}
