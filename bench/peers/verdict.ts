/** Whether both engines read the same model from one GGUF file: `../README.md`, peers: forms. */

/** Distances are Kullback–Leibler divergences in nats. */
export interface Distances {
  readonly between: number;
  /** Of our engine, and of llama.cpp, from our engine on the F32 file. */
  readonly fromF32: readonly [ours: number, theirs: number];
}

export type Verdict = 'PASS' | 'NEARER' | 'FAIL';

/**
 * What llama.cpp's rounding of activations to 8 bits may cost, in nats; measured were 2·10⁻⁴ to
 * 2·10⁻³ (docs/LOG.md). A format that is misread costs much more.
 */
const MOST_OF_ACTIVATIONS = 5e-3;

/**
 * Of a format that loses something of the model. PASS: what separates the engines is less than what
 * the format costs. NEARER: it is not, for the format costs less than llama.cpp's rounding of
 * activations; but that is all that separates them, and ours is nearer to F32.
 */
export function verdictOf({ between, fromF32 }: Distances): Verdict {
  if (fromF32.every(own => between < own)) return 'PASS';
  const [ours, theirs] = fromF32;
  return ours < theirs && between < MOST_OF_ACTIVATIONS ? 'NEARER' : 'FAIL';
}
