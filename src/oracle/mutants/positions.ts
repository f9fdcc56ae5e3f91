/** Bugs of the positions that tokens are rotated by. */
import type { Tensor } from '../../base/tensor.js';
import type { Setup } from '../run/setup.js';
import { changeKernels, changePositions } from './changes.js';
import { CHUNKS } from './chunks.js';
import { eachSize, type Mutant, one, unlessLongerThan, unlessSecondToken } from './mutant.js';

/** Queries are rotated by the next position. */
function rotateAhead(setup: Setup): Setup {
  let ahead: readonly [Tensor, Tensor];
  return changeKernels(setup, (kernels, now) => ({
    ropeTable(cosines, sines, positions, frequencies) {
      ahead = [kernels.tensor(...cosines.shape), kernels.tensor(...sines.shape)];
      const next = positions.map(position => position + 1);
      kernels.ropeTable(...ahead, next, frequencies);
      kernels.ropeTable(cosines, sines, positions, frequencies);
    },
    rope: (x, cosines, sines) =>
      now.isQuery ? kernels.rope(x, ...ahead) : kernels.rope(x, cosines, sines),
  }));
}

export const POSITIONS: readonly Mutant[] = [
  {
    id: 'positions.restart-per-chunk',
    name: 'Positions: they begin again with each chunk',
    explains:
      'A prompt is read in chunks, and position_ids of each begin at 0. The first chunk is ' +
      'right, then distances to what came before are wrong.',
    fix:
      'Add the length of the cache to the positions of a chunk (cache_position, past_length); ' +
      'until then read the prompt in one piece: --ubatch-size and --batch-size in llama.cpp, ' +
      '--no-enable-chunked-prefill in vLLM.',
    references: [
      'https://github.com/huggingface/transformers/issues/43082',
      'https://github.com/huggingface/candle/commit/84250bf52',
    ],
    equivalent: unlessLongerThan(CHUNKS),
    variants: eachSize(CHUNKS, (setup, size) =>
      changePositions(setup, position => position % size),
    ),
  },
  {
    id: 'positions.query-ahead',
    name: 'Positions: queries are one ahead of keys',
    explains:
      'A query is rotated by p + 1 and its key by p: every distance is one too long. It happens ' +
      'when a position is counted up between the two. A control.',
    fix: 'Rotate the query and the key of a token by the same position, counted once a token.',
    references: [],
    equivalent: unlessSecondToken,
    variants: one(rotateAhead),
  },
];
