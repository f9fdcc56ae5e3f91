import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../support/golden.js';
import { cli, json } from './support.js';

describe('inspect', () => {
  it.each(['gqa', 'mha', 'tied', 'long'])(
    '--json of golden/%s has what config.json and the tensors say',
    async name => {
      const path = goldenPath(name);
      const raw = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'));
      const { model, config, tensors, totals } = await json(['inspect', '--model', path]);
      expect(model).toBe(path);
      for (const key of ['vocab_size', 'hidden_size', 'num_hidden_layers', 'max_position_embeddings']) {
        expect(config[key], key).toBe(raw[key]);
      }
      expect(config.rope_factor).toBe((raw.rope_scaling ?? raw.rope_parameters)?.factor ?? 1);
      const embedding = tensors.find((tensor: { name: string }) => tensor.name === 'model.embed_tokens.weight');
      expect(embedding.shape).toEqual([raw.vocab_size, raw.hidden_size]);
      const bytesEach = { F32: 4, BF16: 2 }[embedding.dtype as 'F32' | 'BF16'];
      expect(embedding.bytes).toBe(raw.vocab_size * raw.hidden_size * bytesEach);
      expect(totals).toEqual({
        tensors: tensors.length,
        parameters: totals.bytes / bytesEach,
        bytes: tensors.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0),
        dtypes: { [embedding.dtype]: totals.parameters },
      });
    },
  );

  it('--json of PyTorch files has what those of safetensors have, and the frequencies that are in them', async () => {
    const { tensors, totals } = await json(['inspect', '--model', goldenPath('pytorch/mha')]);
    const { tensors: originals } = await json(['inspect', '--model', goldenPath('mha')]);
    const halved = originals.map((tensor: { bytes: number }) => ({ ...tensor, dtype: 'F16', bytes: tensor.bytes / 2 }));
    const frequencies = [0, 1].map(layer => `model.layers.${layer}.self_attn.rotary_emb.inv_freq`);
    expect(tensors).toHaveLength(originals.length + 2);
    expect(tensors).toEqual(expect.arrayContaining(halved));
    expect(tensors).toEqual(
      expect.arrayContaining(frequencies.map(name => ({ name, dtype: 'F16', shape: [5], bytes: 10 }))),
    );
    expect(totals.dtypes).toEqual({ F16: totals.parameters });
  });

  it('without --json is a table', async () => {
    const { code, stdout } = await cli(['inspect', '--model', goldenPath('gqa')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^rope_factor {14}8$/m);
    expect(stdout).toMatch(/^model\.layers\.2\.mlp\.down_proj\.weight +F32 {4}\[132, 345\] +182,160$/m);
    expect(stdout).toMatch(/^30 tensors, .* bytes, .* parameters: .* F32$/m);
  });
});
