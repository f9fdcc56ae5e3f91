/**
 * The bits of logits, of every format of weights and of the cache, in every build that runs here:
 * those of `bits.json`, whatever the processor and the version of Node.
 *
 * Ours, not somebody else's: they say that nothing changed, not that it is right. Where numerics
 * are changed on purpose:
 *
 *     npx vitest run test/engines/wasm/bits.test.ts -u
 *
 * `node scripts/test-on-node.js 26` runs this, and the other tests of the engine, on another
 * version.
 */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { BUILDS, type Build, canRun } from '../../../src/engines/wasm/kernels/builds.js';
import type { CacheFormat } from '../../../src/engines/wasm/memory/cache-formats.js';
import type { WeightFormat } from '../../../src/engines/wasm/memory/weight-formats.js';
import { loadLlama } from '../../../src/load/model.js';
import { allLogits, goldenPath, readIntegers } from '../../support/golden.js';

const FORMATS: readonly (readonly [weights: WeightFormat, cache: CacheFormat])[] = [
  ['f32', 'f32'],
  ['f16', 'f32'],
  ['bf16', 'f32'],
  ['q8_0', 'f32'],
  ['q4_0', 'f32'],
  ['f32', 'f16'],
  ['q8_0', 'q8'],
];

/** Of the long one more than a page of 64 positions, and more than a pass of 128 rows. */
const TEXTS = {
  gqa: await readIntegers('gqa/trace-f32.safetensors', 'tokens'),
  long: (await readIntegers('long/tokens.safetensors', 'tokens')).slice(0, 150),
};

/**
 * SHA-256 of the float32 logits of all tokens: those of a prompt, then those of the same tokens one
 * by one.
 */
async function hash(
  name: keyof typeof TEXTS,
  weights: WeightFormat,
  cache: CacheFormat,
  build: Build,
): Promise<string> {
  const { model } = await loadLlama(goldenPath(name), { weights, cache, build, threads: 2 });
  const tokens = TEXTS[name];
  const sha256 = createHash('sha256');
  for (const chunk of [tokens.length, 1])
    sha256.update(Float32Array.from(await allLogits(model, tokens, chunk)));
  await model.close();
  return sha256.digest('hex');
}

for (const build of BUILDS) {
  if (!canRun(build))
    console.warn(`SKIPPED: the build ${build}, which this engine (${process.version}) cannot run`);
  it.skipIf(!canRun(build))(`${build}.wasm computes the bits of bits.json`, async () => {
    const hashes: Record<string, string> = {};
    for (const name of ['gqa', 'long'] as const) {
      for (const [weights, cache] of FORMATS) {
        hashes[`golden/${name}, ${weights}, cache ${cache}`] = await hash(
          name,
          weights,
          cache,
          build,
        );
      }
    }
    await expect(`${JSON.stringify(hashes, null, 2)}\n`).toMatchFileSnapshot('bits.json');
  });
}
