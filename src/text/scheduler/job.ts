/** A text in a scheduler. */
import type { Generation } from '../generation.js';
import type { GenerationStep } from '../result.js';

export interface Job {
  readonly generation: Generation;
  readonly user: string;
  /** Under which its tokens are kept for others. */
  readonly salt: string;
  /** Whether what is known of its prompt is taken. */
  readonly reusesKnown: boolean;
  /** Computed, and not fetched yet: a pass may give several. */
  readonly ready: GenerationStep[];
}

/** Who waits for the next step of a text. */
export interface Consumer {
  resolve(step: GenerationStep): void;
  reject(error: unknown): void;
}
