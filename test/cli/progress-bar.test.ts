import { describe, expect, it } from 'vitest';
import { ProgressBar } from '../../src/cli/terminal/progress-bar.js';
import { FakeIo } from './support.js';

describe('a progress bar', () => {
  it.each([[[0.1, 0.1, 0.5, 0.4, 1]], [[]], [[0, 0.999]]])(
    'that is shown %j has 40 cells in the end, and never fewer than before',
    parts => {
      const { stdout } = new FakeIo();
      const bar = new ProgressBar(stdout, 'reading ');
      for (const part of parts) {
        bar.show(part);
        expect(stdout.text.length - 'reading '.length).toBeGreaterThanOrEqual(
          Math.floor(40 * part),
        );
      }
      bar.end('3 s');
      expect(stdout.text).toBe(`reading ${'█'.repeat(40)} 3 s\n`);
    },
  );
});
