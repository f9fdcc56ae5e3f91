/** Byte-level tokenizers in other forms: the same ids. */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { convertModel } from '../../src/convert/convert.js';
import { quantizeModel } from '../../src/convert/quantize.js';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { goldenPath } from '../support/golden.js';
import { temporaryDirectory, wideModel } from './support.js';

const { at } = temporaryDirectory();

const TEXTS = [
  ...[
    "The dog's 12345 words, и мягких булок:\n\n  玻璃 🦙",
    '',
    ' ',
    '\n\n\n',
    'a<|end|>b',
    '\0\x7f',
  ],
  ...["'S 'ſ 'LL", 'e\u0301é', '<|start|> <|end|>', '\ud800', '\r\n\t x', '½ ٣٤'],
];

/** A model of 4,500 tokens with a tokenizer of golden/byte-level. */
async function byteLevelModel(name: string): Promise<void> {
  await wideModel(at('model'));
  await rm(at('model', 'tokenizer.model'));
  await cp(goldenPath(`byte-level/${name}.json`), at('model', 'tokenizer.json'));
  const tokens = { bos_token: '<|end|>', eos_token: '<|end|>' };
  await writeFile(at('model', 'tokenizer_config.json'), JSON.stringify(tokens));
  const config = JSON.parse(await readFile(at('model', 'config.json'), 'utf8'));
  const end = (await openTokenizer(at('model'))).idOf('<|end|>');
  const ids = { bos_token_id: end, eos_token_id: end };
  await writeFile(at('model', 'config.json'), JSON.stringify({ ...config, ...ids }));
}

it.each(['gpt2', 'smollm2', 'llama3', 'deepseek'])(
  '%s to a GGUF file and back, and quantized',
  async name => {
    await byteLevelModel(name);
    const { notes } = await convertModel(at('model'), at('model.gguf'));
    expect(notes).toEqual([]);
    await convertModel(at('model.gguf'), at('back'));
    await quantizeModel(at('back'), at('again.gguf'), { type: 'q8_0' });
    expect(await readdir(at('back'))).toEqual(
      expect.arrayContaining(['tokenizer.json', 'tokenizer_config.json']),
    );
    const [before, ...others] = await Promise.all(
      ['model', 'model.gguf', 'back', 'again.gguf'].map(each => openTokenizer(at(each))),
    );
    for (const other of others) {
      const { bosId, eosId, unkId, addsBos } = before;
      expect(other).toMatchObject({ bosId, eosId, unkId, addsBos });
      expect(other.addedTokens).toEqual(before.addedTokens);
      for (const special of [true, false])
        for (const text of TEXTS)
          expect(other.encode(text, { special })).toEqual(before.encode(text, { special }));
    }
  },
);

it('keeps in a directory what a GGUF file has no word for, and refuses to write that', async () => {
  await byteLevelModel('rest');
  await expect(convertModel(at('model'), at('model.gguf'))).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining('convert to a directory instead'),
  });
  await convertModel(at('model'), at('copy'));
  const [before, after] = await Promise.all(['model', 'copy'].map(name => openTokenizer(at(name))));
  for (const text of TEXTS) expect(after.encode(text)).toEqual(before.encode(text));
});
