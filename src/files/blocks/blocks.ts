/** The block formats by the names that GGUF files and llama.cpp give them. */

import type { BlockDType } from '../../model/dtypes.js';
import type { BlockFormat } from './block-format.js';
import { q2_k } from './q2-k.js';
import { q3_k } from './q3-k.js';
import { q4_0 } from './q4-0.js';
import { q4_1 } from './q4-1.js';
import { q4_k } from './q4-k.js';
import { q5_0 } from './q5-0.js';
import { q5_1 } from './q5-1.js';
import { q5_k } from './q5-k.js';
import { q6_k } from './q6-k.js';
import { q8_0 } from './q8-0.js';

export type { BlockFormat } from './block-format.js';

export const BLOCK_FORMATS = {
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  Q2_K: q2_k,
  Q3_K: q3_k,
  Q4_K: q4_k,
  Q5_K: q5_k,
  Q6_K: q6_k,
} satisfies Record<BlockDType, BlockFormat>;
