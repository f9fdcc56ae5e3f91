import { defineConfig, mergeConfig } from 'vitest/config';
import everything from './vitest.config.js';

/** `npm run quick`: without the tests that take seconds, so that a minute is enough for all. */
export default mergeConfig(
  everything,
  defineConfig({
    test: {
      exclude: [
        '**/node_modules/**',
        // thousands of inputs, or files of gigabytes
        'test/**/*-{fuzz,large}.test.ts',
        'test/**/same-bits.test.ts',
        'test/asm/{attention,blocks,matmul,module,pack}.test.ts',
        'test/convert/**',
        'test/tokenizer/{long,sentencepiece/writer}.test.ts',
        // thousands of tokens
        'test/model/{forward,interleavings,long-*,nan,sequences,stories260k}.test.ts',
        'test/files/safetensors/safetensors.test.ts',
        'test/files/**/*golden.test.ts',
        'test/load/{model,saved-models}.test.ts',
        'test/text/{generate,generation,scheduler}.test.ts',
        'test/text/chat/format.test.ts',
        'test/{smollm2,smollm2-text,tiny-32k}.test.ts',
        // programs in processes of their own
        'test/asm/wide/**',
        'test/{bench,house,hub,package,examples}/**',
        'test/cli/{bounds,chat*,convert,generate,generation-config,logits,program}.test.ts',
        'test/engines/**',
      ],
    },
  }),
);
