import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { script } from '../support/child.js';
import { goldenPath } from '../support/golden.js';
import { findSmollm2 } from '../support/smollm2.js';
import { zeroModel } from '../support/zero-model.js';
import { cli } from './support.js';

async function estimate(model: string, ...args: string[]): Promise<Record<string, number>> {
  const { code, stdout } = await cli(['estimate', '--model', model, '--json', ...args]);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

const sums = (...args: string[]) => estimate(goldenPath('gqa'), '--context', '100', ...args);

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

  it('says where one text has more positions than the model, or too many', async () => {
    const args = ['estimate', '--model', goldenPath('gqa'), '--context'];
    expect((await cli([...args, '32768'])).stderr).toBe('');
    const { code, stderr } = await cli([...args, '40000']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('the model has 32768 positions')]);
    expect((await cli([...args, '40000', '--json'])).stderr).toBe('');
    expect((await cli([...args, '2000000000'])).stderr).toContain('BAD_CONFIG');
    expect((await cli([...args, '5000000000'])).stderr).toContain('BAD_OPTION');
  });

  it('refuses a cache that there is not', async () => {
    const { code, stderr } = await cli(['estimate', '--cache', 'q4']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--cache is "q4"; there is: f32, f16, q8'),
    ]);
  });
});

describe('the sum of all', () => {
  const directories: string[] = [];
  afterAll(() => Promise.all(directories.map(path => rm(path, { recursive: true }))));

  /** What it takes, at its peak, to load a model; and the estimate for the shortest context. */
  async function peakAndTotal(model: string, weights?: string) {
    const options = { weights, threads: 2, packCache: false };
    const { stdout, stderr } = await script(`
      await loadLlama(${JSON.stringify(model)}, ${JSON.stringify(options)});
      console.log(process.resourceUsage().maxRSS * 1024);
      process.exit();`);
    expect(stderr).toBe('');
    const args = ['--weights', weights ?? 'native', '--threads', '2', '--context', '1'];
    const { total_bytes } = await estimate(model, ...args);
    return { peak: Number(stdout), total: total_bytes };
  }

  it('is not less than loading takes, and 150 MB more at most: garbage varies', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'llama-32k-estimate-'));
    directories.push(directory);
    const path = join(directory, 'zeros');
    await zeroModel(path, 64);
    const { peak, total } = await peakAndTotal(path, 'f32');
    expect(peak).toBeGreaterThan(64e6);
    expect(total).toBeGreaterThan(peak);
    expect(total).toBeLessThan(peak + 150e6);
  });

  const smollm2 = findSmollm2('the estimate of a model with 49,152 byte-level tokens');
  it.skipIf(smollm2 === undefined)('is as near with 49,152 byte-level tokens', async () => {
    const { peak, total } = await peakAndTotal(smollm2!);
    expect(peak).toBeGreaterThan(250e6);
    expect(total).toBeGreaterThan(peak);
    expect(total).toBeLessThan(peak + 150e6);
  });
});
