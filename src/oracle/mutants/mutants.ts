/**
 * All mutants. Several that are put upon one another go in the order of this list: first those
 * that change the text, for they make room for other keys and values; of one family first those
 * that replace an operation, for the others change what goes into it.
 */
import { ATTENTION } from './attention.js';
import { CACHE } from './cache.js';
import { HEAD } from './head.js';
import { LAYERS } from './layers.js';
import { MATMUL } from './matmul.js';
import { MLP } from './mlp.js';
import type { Mutant } from './mutant.js';
import { NORM } from './norm.js';
import { POSITIONS } from './positions.js';
import { RESIDUAL } from './residual.js';
import { ROPE } from './rope.js';
import { TOKENS } from './tokens.js';
import { WEIGHTS } from './weights.js';

export const MUTANTS: readonly Mutant[] = [
  ...TOKENS,
  ...CACHE,
  ...POSITIONS,
  ...ROPE,
  ...NORM,
  ...ATTENTION,
  ...MLP,
  ...RESIDUAL,
  ...LAYERS,
  ...HEAD,
  ...WEIGHTS,
  ...MATMUL,
];

/** One that changes every number of every model: an oracle that does not see it sees nothing. */
export const GROSS_BUG = MUTANTS.find(({ id }) => id === 'mlp.gate-up-swapped') as Mutant;
