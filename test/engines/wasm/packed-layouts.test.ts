/**
 * The bytes of packed weights, which are kept on disks: those of `packed-layouts.json` under the
 * number `LAYOUT_VERSION`, in every build. If this fails, and was meant to, give LAYOUT_VERSION
 * another number and put the hashes that are printed under it: files of the old layout are then not
 * taken for new ones.
 *
 * If builds differ from now on, what they pack must have formats of different names, or
 * `place-weights.ts` must put the build into the key.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { BUILDS, type Build, canRun } from '../../../src/engines/wasm/kernels/builds.js';
import {
  BLOCK_SIZES,
  type BlockFormat,
  LAYOUT_VERSION,
} from '../../../src/engines/wasm/memory/weight-formats.js';
import type { WasmOptions } from '../../../src/engines/wasm/options.js';
import { WasmEngine } from '../../../src/engines/wasm/wasm-engine.js';
import type { PackedStore } from '../../../src/engines/wasm/workers/place-weights.js';
import { parseConfig } from '../../../src/files/config-json/config-json.js';
import { openModelFiles } from '../../../src/load/model-files.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import type { LlamaConfig } from '../../../src/model/config.js';
import { goldenPath } from '../../support/golden.js';
import { randomCheckpoint } from '../../support/random-model.js';

function configOf(hidden: number, intermediate: number, headDim: number): LlamaConfig {
  return parseConfig({
    model_type: 'llama',
    vocab_size: 50,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: 1,
    num_attention_heads: 3,
    num_key_value_heads: 1,
    head_dim: headDim,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    hidden_act: 'silu',
  });
}

/** Rows that are no multiples of a tile, columns that are none of a block. */
const AWKWARD = configOf(66, 127, 22);
/** Columns of whole blocks of 256; rows that are no multiples of a tile. */
const BLOCKS = configOf(256, 512, 256);

const NUMBERS = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] as const;
const TAKEN = (Object.keys(BLOCK_SIZES) as BlockFormat[]).map(
  format => format.toUpperCase() as Uppercase<BlockFormat>,
);

/** SHA-256 of all packed weights, in the order of their places. */
async function hash(
  config: LlamaConfig,
  checkpoint: Checkpoint,
  options: WasmOptions,
): Promise<string> {
  const sha256 = createHash('sha256');
  const store: PackedStore = {
    wants: () => true,
    read: async () => false,
    makeRoom: async () => true,
    write: async (_, parts) => {
      for (const part of parts) sha256.update(part);
    },
  };
  const known = { ...checkpoint, identify: async () => 'known' };
  const small = { threads: 2, context: 64, maxRows: 8, ...options };
  await (await WasmEngine.load(config, known, small, store)).close();
  return sha256.digest('hex');
}

async function allHashes(build: Build): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const weights of NUMBERS)
    hashes[weights] = await hash(AWKWARD, randomCheckpoint(AWKWARD), { build, weights });
  for (const dtype of TAKEN)
    hashes[`${dtype} as it is`] = await hash(BLOCKS, randomCheckpoint(BLOCKS, dtype), { build });
  const { config, checkpoint } = await openModelFiles(goldenPath('tied'));
  hashes['golden/tied, BF16 as it is'] = await hash(config, checkpoint, { build });
  return hashes;
}

const known: Record<string, Record<string, string>> = JSON.parse(
  await readFile(new URL('packed-layouts.json', import.meta.url), 'utf8'),
);

for (const build of BUILDS) {
  if (!canRun(build))
    console.warn(`SKIPPED: the build ${build}, which this engine (${process.version}) cannot run`);
  it.skipIf(!canRun(build))(`${build}.wasm packs layout ${LAYOUT_VERSION}`, async () => {
    expect(await allHashes(build)).toEqual(known[LAYOUT_VERSION]);
  });
}
