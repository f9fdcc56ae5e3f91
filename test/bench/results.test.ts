/** Results of benchmarks: a file for each processor, and the table that the README has of them. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProcessor, slugOf, thisProcessor } from '../../bench/processor.js';
import { RESULTS, readResults, recordBench, recordComparison } from '../../bench/results.js';
import { tableOf } from '../../bench/table.js';
import { packageFile } from '../../src/base/package.js';

const COMPARISON = {
  ...{ model: '1.1B', weights: 'q8_0', threads: 2, promptTokens: 512, decode: 23.4 },
  ...{ decodeRatio: 1.1, prefill: 59, prefillRatio: 0.56, weightsRead: 25.7, peakMemory: null },
};

describe('the file of a processor', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llama-32k-results-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const own = () => readResults(folder).get(`${slugOf(thisProcessor())}.json`)!;

  it('gets the parts that were measured, with date and versions, and keeps all others', () => {
    recordBench('kernels', { peak: 1 }, folder);
    recordComparison(COMPARISON, folder);
    recordBench('engine', { decode: 2 }, folder);
    recordBench('kernels', { peak: 3 }, folder);
    expect(own()).toMatchObject({
      processor: thisProcessor(),
      comparisons: [COMPARISON],
      benches: { kernels: { figures: { peak: 3 } }, engine: { figures: { decode: 2 } } },
    });
    expect(own().benches!.kernels).toMatchObject({
      date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      ...{ node: process.versions.node, v8: process.versions.v8, version: expect.any(String) },
    });
  });

  it('has one comparison for each model, weights and number of threads: the newest', () => {
    recordComparison(COMPARISON, folder);
    recordComparison({ ...COMPARISON, weights: 'q4_0' }, folder);
    recordComparison({ ...COMPARISON, decode: 30 }, folder);
    expect(own().comparisons).toHaveLength(2);
    expect(own().comparisons!.at(-1)).toMatchObject({ weights: 'q8_0', decode: 30 });
  });

  it('is the only one written, and keeps what people wrote about the processor', async () => {
    const other = '{"processor":{"name":"another","cores":1,"features":[]}}';
    await writeFile(join(folder, 'another.json'), other);
    const name = `${slugOf(thisProcessor())}.json`;
    const processor = { ...thisProcessor(), called: 'Ours' };
    await writeFile(join(folder, name), JSON.stringify({ processor }));
    recordBench('kernels', {}, folder);
    expect(await readFile(join(folder, 'another.json'), 'utf8')).toBe(other);
    expect(await readdir(folder)).toHaveLength(2);
    expect(own().processor.called).toBe('Ours');
  });
});

describe('the name of a processor', () => {
  it('has family and model on x86, where names are as vague as "AMD EPYC"', () => {
    const cpuinfo =
      'vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n' +
      'flags\t\t: fpu avx2 f16c avx512f avx512_vnni\n';
    const processor = readProcessor(cpuinfo, 'unused', 2);
    expect(slugOf(processor)).toBe('amd-epyc-family-25-model-17');
    expect(processor.features).toEqual(['avx2', 'f16c', 'avx512f', 'avx512_vnni']);
  });

  it('has no frequency or marks in it, and is that of the system elsewhere than on Linux', () => {
    const named = (name: string) => slugOf(readProcessor('', name, 8));
    expect(named('Apple M2 Pro')).toBe('apple-m2-pro');
    expect(named('Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz')).toBe(
      'intel-xeon-platinum-8481c',
    );
  });

  it('tells dot products on ARM', () => {
    const cpuinfo = 'Features\t: fp asimd asimddp i8mm\n';
    expect(readProcessor(cpuinfo, 'Neoverse-N1', 4).features).toEqual(['asimd', 'asimddp', 'i8mm']);
  });
});

it("README's table is what npm run bench -- table prints", async () => {
  const readme = await readFile(packageFile('README.md'), 'utf8');
  const [, table] = /<!-- table of [^>]*-->\n([\s\S]*?)\n<!-- end/.exec(readme)!;
  expect(table.trim()).toBe(tableOf(readResults().values()));
  expect(readResults(RESULTS).size).toBeGreaterThan(0);
});
