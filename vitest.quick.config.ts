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
        'test/asm/{attention,blocks,matmul}.test.ts',
        'test/convert/**',
        'test/tokenizer/{long,sentencepiece/writer}.test.ts',
        // thousands of tokens
        'test/model/{long-*,stories260k}.test.ts',
        'test/tiny-32k.test.ts',
        // programs in processes of their own
        'test/{bench,hub,package,examples}/**',
        'test/cli/{chat,convert,generate,generation-config,logits,program}.test.ts',
        'test/engines/wasm/{bits,blocks,engine,failures,hazards,memory}.test.ts',
      ],
    },
  }),
);
