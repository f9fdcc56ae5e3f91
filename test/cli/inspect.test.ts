import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quantizeModel } from '../../src/convert/quantize.js';
import { temporaryDirectory, wideModel } from '../convert/support.js';
import { goldenPath } from '../support/golden.js';
import { cli, json } from './support.js';

const { at } = temporaryDirectory();

describe('inspect', () => {
  it.each(['gqa', 'mha', 'tied', 'long'])(
    '--json of golden/%s has what config.json and the tensors say',
    async name => {
      const path = goldenPath(name);
      const raw = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'));
      const { model, config, tensors, totals } = await json(['inspect', '--model', path]);
      expect(model).toBe(path);
      for (const key of [
        'vocab_size',
        'hidden_size',
        'num_hidden_layers',
        'max_position_embeddings',
      ]) {
        expect(config[key], key).toBe(raw[key]);
      }
      const { factor } = raw.rope_scaling ?? raw.rope_parameters;
      expect(config.rope_scaling).toEqual(factor ? { type: 'linear', factor } : null);
      const embedding = tensors.find(
        (tensor: { name: string }) => tensor.name === 'model.embed_tokens.weight',
      );
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

  it('--json of PyTorch files has the same, and names what is not used in a note', async () => {
    const { tensors, totals, notes } = await json([
      'inspect',
      '--model',
      goldenPath('pytorch/mha'),
    ]);
    const { tensors: originals } = await json(['inspect', '--model', goldenPath('mha')]);
    const halved = originals.map((tensor: { bytes: number }) => ({
      ...tensor,
      dtype: 'F16',
      bytes: tensor.bytes / 2,
    }));
    const frequencies = [0, 1].map(layer => `model.layers.${layer}.self_attn.rotary_emb.inv_freq`);
    expect(tensors).toHaveLength(originals.length);
    expect(tensors).toEqual(expect.arrayContaining(halved));
    expect(notes).toHaveLength(2);
    expect(notes[1]).toContain('token ids only, no text: there is neither tokenizer.model');
    for (const name of frequencies) expect(notes[0]).toContain(name);
    expect(totals.dtypes).toEqual({ F16: totals.parameters });
  });

  it('shows the scaling of Llama 3 by the names of config.json', async () => {
    const args = ['inspect', '--model', goldenPath('llama3')];
    const raw = JSON.parse(await readFile(goldenPath('llama3/config.json'), 'utf8'));
    const { rope_theta, rope_type: type, ...parameters } = raw.rope_parameters;
    const { config } = await json(args);
    expect(config).toMatchObject({ rope_theta, rope_scaling: { type, ...parameters } });
    expect((await cli(args)).stdout).toMatch(
      /^rope_scaling +llama3, factor 8, low_freq_factor 1, high_freq_factor 4, original_max_p/m,
    );
  });

  it('without --json is a table', async () => {
    const { code, stdout } = await cli(['inspect', '--model', goldenPath('gqa')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^rope_scaling {13}linear, factor 8$/m);
    expect(stdout).toMatch(/^tensor +layers +dtype +shape +parameters +size$/m);
    expect(stdout).toMatch(
      /^model\.layers\.N\.mlp\.down_proj\.weight +0–2 +F32 +\[132, 345\] +136,620 +546 kB$/m,
    );
    expect(stdout).toMatch(/^all +30 +[\d,]+ +2\.55 MB +32\.00$/m);
    const tensors = stdout.split('\n\n')[2].split('\n').slice(1);
    expect(tensors.map(line => line.split(/\s/)[0])).toEqual([
      'model.embed_tokens.weight',
      'model.layers.N.input_layernorm.weight',
      ...['q', 'k', 'v', 'o'].map(letter => `model.layers.N.self_attn.${letter}_proj.weight`),
      'model.layers.N.post_attention_layernorm.weight',
      ...['gate', 'up', 'down'].map(part => `model.layers.N.mlp.${part}_proj.weight`),
      'model.norm.weight',
      'lm_head.weight',
    ]);
    expect(new Set(tensors.map(line => line.length)).size).toBe(1); // sizes end at the same place
  });

  it('without --json shows formats with bits a number, and notes', async () => {
    const blocks = (await cli(['inspect', '--model', goldenPath('gguf/long-blocks.gguf')])).stdout;
    expect(blocks).toMatch(
      /^model\.layers\.N\.self_attn\.q_proj\.weight +0–1 +Q4_0 +\[32, 32\] +2,048 +1\.15 kB$/m,
    );
    expect(blocks).toMatch(/^Q4_0 +\d+ +[\d,]+ +[\d.]+ (bytes|kB) +4\.50$/m);
    expect(blocks).toMatch(/^Q8_0 +\d+ +[\d,]+ +[\d.]+ (bytes|kB) +8\.50$/m);
    const old = (await cli(['inspect', '--model', goldenPath('pytorch/mha')])).stdout;
    expect(old).toMatch(
      /^note: .*does not use: model\.layers\.0\.self_attn\.rotary_emb\.inv_freq/m,
    );
  });

  it('without --json shows layers that differ in their format apart', async () => {
    await wideModel(at('model'));
    await quantizeModel(at('model'), at('model.gguf'), { type: 'q4_k_m' });
    const { stdout } = await cli(['inspect', '--model', at('model.gguf')]);
    expect(stdout).toMatch(/^model\.layers\.N\.self_attn\.v_proj\.weight +0 +Q4_K /m);
    expect(stdout).toMatch(/^model\.layers\.N\.self_attn\.v_proj\.weight +1 +Q6_K /m);
    expect(stdout).toMatch(/^model\.layers\.N\.self_attn\.q_proj\.weight +0–1 +Q4_K /m);
  });
});
