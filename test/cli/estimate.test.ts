import { describe, expect, it } from 'vitest';
import { goldenPath } from '../support/golden.js';
import { cli } from './support.js';

async function sums(...args: string[]): Promise<Record<string, number>> {
  const { code, stdout } = await cli([
    'estimate',
    '--model',
    goldenPath('gqa'),
    '--json',
    '--context',
    '100',
    ...args,
  ]);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

describe('estimate', () => {
  it('tells the bytes of the cache: 3 layers of 2 heads of 22, 2 pages of 64', async () => {
    const pages = 3 * 2 * 2 * 64;
    expect((await sums()).cache_bytes).toBe(pages * 4 * (22 + 32));
    expect((await sums('--cache', 'f32')).cache_bytes).toBe(pages * 4 * (22 + 32));
    expect((await sums('--cache', 'f16')).cache_bytes).toBe(pages * 2 * (22 + 32));
    const { weights_bytes, cache_bytes, scratch_bytes, total_bytes } = await sums('--cache', 'q8');
    // keys lie by fours
    expect(cache_bytes).toBe(pages * (24 + 32 + 8));
    expect(total_bytes).toBe(weights_bytes + cache_bytes + scratch_bytes);
  });

  it('refuses a cache that there is not', async () => {
    const { code, stderr } = await cli(['estimate', '--cache', 'q4']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--cache is "q4"; there is: f32, f16, q8'),
    ]);
  });
});
