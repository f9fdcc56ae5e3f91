/** Bugs of the cache of keys and values. */
import type { Floats } from '../../base/tensor.js';
import { quantize, toQ4_0, toQ8_0 } from '../noise/quantized.js';
import { ArrayPast } from '../run/array-past.js';
import type { Setup } from '../run/setup.js';
import { changePast } from './changes.js';
import { CHUNKS } from './chunks.js';
import { each, eachSize, type Mutant, one, unlessLongerThan, unlessOtherTokens } from './mutant.js';
import { seeFrom } from './visible.js';

/** Keys and values are changed in place before they are kept. */
const keepAs = (setup: Setup, change: (numbers: Floats) => Floats): Setup =>
  changePast(setup, past => ({
    write: (layer, position, keys, values) =>
      past.write(layer, position, change(keys), change(values)),
  }));

/**
 * Rows are computed one after the other, so that what is gone for one is gone for all that come
 * after it; each pass writes all of them again.
 */
function loseLastOfChunks(setup: Setup, size: number): Setup {
  const width = setup.config.numKeyValueHeads * setup.config.headDim;
  return changePast(setup, past => ({
    visible(layer, position) {
      const visible = past.visible(layer, position);
      for (let end = size; end <= position; end += size) {
        visible.keys.fill(0, (end - 1) * width, end * width);
        visible.values.fill(0, (end - 1) * width, end * width);
      }
      return visible;
    },
  }));
}

function readTwice(setup: Setup): Setup {
  const { steps, config } = setup;
  return {
    ...setup,
    steps: [
      ...steps.map(step => ({ ...step, place: undefined })),
      ...steps.map(step => ({ ...step, position: steps.length + step.position })),
    ],
    past: new ArrayPast(config, 2 * steps.length),
  };
}

export const CACHE: readonly Mutant[] = [
  {
    id: 'cache.not-reset',
    name: 'Cache: the conversation before is still there',
    explains:
      'The same text was read before, and its keys and values are still seen; positions go on ' +
      'from there.',
    fix:
      'Reset the cache and its position between sequences: llama_memory_clear, a new Cache or ' +
      'DynamicCache for each generate call.',
    needsWholeText: true,
    references: [
      'https://github.com/huggingface/candle/commit/372c9cf6d',
      'https://github.com/Lightning-AI/litgpt/commit/4e9bc06f',
      'https://github.com/vllm-project/vllm/issues/49125',
      'https://github.com/openvinotoolkit/openvino.genai/issues/3722',
    ],
    equivalent: unlessOtherTokens,
    variants: one(readTwice),
  },
  {
    id: 'cache.forgotten',
    name: 'Cache: a chunk sees itself only',
    explains:
      'Attention over a chunk of the prompt does not read what chunks before it wrote. Positions ' +
      'are right, and so is the first chunk. A control.',
    fix:
      'Attend to keys and values of the cache, not to those of the pass; until then read prompts ' +
      'in one piece: --ubatch-size in llama.cpp, --no-enable-chunked-prefill in vLLM.',
    references: [],
    equivalent: unlessLongerThan(CHUNKS),
    variants: eachSize(CHUNKS, (setup, size) =>
      seeFrom(setup, position => position - (position % size)),
    ),
  },
  {
    id: 'cache.last-lost',
    name: 'Cache: the last token of a chunk is lost',
    explains:
      'The key and the value of the last token before a boundary of chunks are zeros for all ' +
      'that come after it: the cache counts a token that was never computed.',
    fix:
      'Count as cached only what was written: resume at the last token that was computed plus ' +
      'one, and compute a token that was only sampled.',
    references: ['https://github.com/tinygrad/tinygrad/pull/15552'],
    equivalent: unlessLongerThan(CHUNKS),
    variants: eachSize(CHUNKS, loseLastOfChunks),
  },
  {
    id: 'cache.integers',
    name: 'Cache: keys and values are integers',
    explains:
      'The cache was allocated with the type of token ids, so that what is written to it is ' +
      'truncated: most values become 0.',
    fix: 'Allocate the cache with the type of the activations, not with idx.dtype.',
    references: [
      'https://github.com/Lightning-AI/litgpt/commit/8c57db26',
      'https://github.com/Lightning-AI/litgpt/commit/91014a77',
    ],
    variants: one(setup => keepAs(setup, numbers => numbers.map(Math.trunc))),
  },
  {
    id: 'cache.quantized',
    name: 'Cache: keys and values are quantized',
    explains:
      'Keys and values are kept in blocks of 8 or 4 bits. No mistake where it was asked for; ' +
      'q4_0 keys ruin some models.',
    fix:
      'llama.cpp: --cache-type-k f16 --cache-type-v f16; Ollama: OLLAMA_KV_CACHE_TYPE=f16; vLLM: ' +
      '--kv-cache-dtype auto.',
    references: [
      'https://github.com/ggml-org/llama.cpp/issues/6172',
      'https://github.com/ollama/ollama/issues/17614',
      'https://github.com/InternLM/lmdeploy/issues/2822',
    ],
    variants: ({ headDim }) =>
      each(
        [
          ['q8_0', toQ8_0],
          ['q4_0', toQ4_0],
        ] as const,
        ([name]) => name,
        (setup, [, format]) => keepAs(setup, numbers => quantize(numbers, headDim, format)),
      ),
  },
];
