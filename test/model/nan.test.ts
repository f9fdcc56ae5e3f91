/**
 * A NaN among the weights reaches the logits that it reaches in transformers (golden/nan), in every
 * arithmetic: whoever judges by finite numbers must not be told any where there are none.
 */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ExactEngine } from '../../src/engines/exact/exact-engine.js';
import { WasmEngine } from '../../src/engines/wasm/wasm-engine.js';
import { openModelDirectory } from '../../src/load/model-files.js';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import type { LlamaConfig } from '../../src/model/config.js';
import type { Engine } from '../../src/model/engine.js';
import type { NumericsName } from '../../src/ops/rounding.js';
import { continuing, goldenPath } from '../support/golden.js';

interface Golden {
  readonly tokens: readonly number[];
  readonly cases: readonly {
    readonly weight: string;
    readonly element: number;
    /** How many logits of each row are NaN. */
    readonly nan: Readonly<Record<NumericsName, readonly number[]>>;
  }[];
}
const golden: Golden = JSON.parse(await readFile(goldenPath('nan/mha.json'), 'utf8'));

/** The checkpoint with a NaN in place of one number. */
function poisoned(checkpoint: Checkpoint, name: string, element: number): Checkpoint {
  const good = checkpoint.tensors.get(name)!;
  const { dtype, shape, byteLength } = good;
  const width = shape.at(-1)!;
  const read = async (first = 0, count = shape[0] - first) => {
    const data = await good.read(first, count);
    const at = element - first * (shape.length === 1 ? 1 : width);
    if (at >= 0 && at < data.length) data[at] = NaN;
    return data;
  };
  const readBytes = async (first?: number, count?: number) =>
    new Uint8Array((await read(first, count)).buffer);
  const readInto = async (target: Uint8Array, first?: number, count?: number) =>
    target.set(await readBytes(first, count));
  const tensor = { name, dtype, shape, byteLength, read, readBytes, readInto };
  const tensors = new Map(checkpoint.tensors).set(name, tensor);
  return { name: checkpoint.name, tensors, close: () => checkpoint.close() };
}

/** How many logits of each row are NaN. */
async function nanLogits(engine: Engine, { vocabSize }: LlamaConfig): Promise<number[]> {
  const rows = continuing(engine.createSequence(), golden.tokens);
  const { logits } = await engine.forward(rows, [...rows.keys()], {});
  const row = (r: number) => Array.from(logits.data.subarray(r * vocabSize, (r + 1) * vocabSize));
  return rows.map((_, r) => row(r).filter(Number.isNaN).length);
}

describe.each(golden.cases)('a NaN in $weight', ({ weight, element, nan }) => {
  it.each(['f64', 'f32', 'bf16', 'f16'] as const)(
    'reaches the same logits as in transformers: %s',
    async numerics => {
      const { config, checkpoint } = await openModelDirectory(goldenPath('mha'));
      const engine = new ExactEngine(config, poisoned(checkpoint, weight, element), { numerics });
      expect(await nanLogits(engine, config)).toEqual(nan[numerics]);
      await engine.close();
    },
  );

  it('reaches the same logits as in transformers: WASM, float32', async () => {
    const { config, checkpoint } = await openModelDirectory(goldenPath('mha'));
    const engine = await WasmEngine.load(config, poisoned(checkpoint, weight, element), {
      threads: 1,
    });
    expect(await nanLogits(engine, config)).toEqual(nan.f32);
    await engine.close();
  });
});
