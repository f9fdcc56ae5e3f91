/** How rotary frequencies are scaled for more positions: each way has a file beside this one. */

import { type FactorScaling, scaleByFactors } from './factors.js';
import { type LinearScaling, scaleLinear } from './linear.js';
import { type Llama3Scaling, scaleLlama3 } from './llama3.js';

/** One way to scale the frequencies of the rotary embedding, and its parameters. */
export type RopeScaling = LinearScaling | Llama3Scaling | FactorScaling;

/** Scales the frequencies [d/2] in place, in float32. */
export function scaleFrequencies(frequencies: Float32Array, scaling: RopeScaling): void {
  switch (scaling.type) {
    case 'linear':
      scaleLinear(frequencies, scaling);
      break;
    case 'llama3':
      scaleLlama3(frequencies, scaling);
      break;
    case 'factors':
      scaleByFactors(frequencies, scaling);
  }
}

/** The numbers that frequencies are divided by: the smallest and the largest are among them. */
export function divisorsOf(scaling: RopeScaling): readonly number[] {
  switch (scaling.type) {
    case 'linear':
      return [scaling.factor];
    case 'llama3':
      return [1, scaling.factor];
    case 'factors':
      return scaling.factors;
  }
}
