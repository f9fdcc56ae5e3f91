/**
 * The conformance pack against our own float64: what transformers computed is what the oracle takes
 * for true.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CheckpointWeights } from '../../../src/engines/exact/checkpoint-weights.js';
import { ExactKernels } from '../../../src/engines/exact/exact-kernels.js';
import { openModelFiles } from '../../../src/load/model-files.js';
import { ArrayPast } from '../../../src/oracle/run/array-past.js';
import { run, type Traced } from '../../../src/oracle/run/run.js';
import { stepsOf } from '../../../src/oracle/run/setup.js';
import { goldenPath, readTensors } from '../../support/golden.js';
import { farthest, PACK, readPack, readPackJson } from './pack.js';

interface Sequence {
  readonly name: string;
  readonly model: string;
  readonly tokens: string;
  readonly length: number;
  readonly logits: string;
  readonly positions: readonly number[];
  readonly trace?: { readonly file: string; readonly positions: readonly number[] };
}

const {
  files,
  sequences,
}: {
  files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  sequences: readonly Sequence[];
} = readPackJson('manifest.json');

/** Rows of the tensors `wanted`, from the tokens alone. */
async function compute(
  { model, tokens: file, length }: Sequence,
  wanted: ReadonlyMap<string, readonly number[]>,
): Promise<Traced> {
  const { config, checkpoint } = await openModelFiles(goldenPath(`${PACK}/${model}`));
  const kernels = new ExactKernels('f64');
  const { tokens } = readPackJson(file);
  expect(tokens).toHaveLength(length);
  const weights = new CheckpointWeights(config, checkpoint, kernels, Infinity);
  const past = new ArrayPast(config, length);
  const traced = await run({ config, weights, kernels, steps: stepsOf(tokens), past }, wanted);
  await checkpoint.close();
  return traced;
}

describe.each(sequences)('$name', sequence => {
  const { logits, positions, trace } = sequence;

  it('logits are within 1e-12 of the row’s (2⁻⁵³ a step)', async () => {
    const ours = await compute(sequence, new Map([['lm_head', positions]]));
    const golden = (await readTensors(`${PACK}/${logits}`)).get('logits');
    expect(farthest(ours.get('lm_head'), golden)).toBeLessThan(1e-12);
  });

  it.runIf(trace)('every tensor is within 1e-12 of the row’s', async () => {
    const { file, positions } = trace!;
    const golden = await readTensors(`${PACK}/${file}`);
    const ours = await compute(sequence, new Map([...golden.keys()].map(x => [x, positions])));
    const errors = [...golden].map(([name, x]) => ({ name, error: farthest(ours.get(name), x) }));
    expect(errors.filter(({ error }) => !(error < 1e-12))).toEqual([]);
  });
});

it('the manifest has every file but itself and texts, with its SHA-256', () => {
  const there = readdirSync(goldenPath(PACK), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.replaceAll('\\', '/'))
    .map(path => path.slice(goldenPath(PACK).length + 1))
    .filter(path => path !== 'manifest.json' && !path.endsWith('.md'));
  expect(there.sort()).toEqual(Object.keys(files).sort());
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const content = readPack(name);
    const hash = createHash('sha256').update(content).digest('hex');
    expect([name, content.length, hash]).toEqual([name, bytes, sha256]);
  }
});
