import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores are the smallest machine this is tested on; long contexts in float64 take their
    // time there.
    testTimeout: 120_000,
    // Of two cores vitest would use one.
    maxWorkers: '100%',
  },
});
