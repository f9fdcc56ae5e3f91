/** Models without a tokenizer that is known, in other forms: the weights go along all the same. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { convertModel } from '../../src/convert/convert.js';
import { quantizeModel } from '../../src/convert/quantize.js';
import { openGgufFile } from '../../src/files/gguf/model.js';
import type { GgufMetadata } from '../../src/files/gguf/values.js';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { goldenPath } from '../support/golden.js';
import { gqaWith, mhaCalling, UNIGRAM } from '../support/without-tokenizer.js';
import { configOf, expectSameTensors, temporaryDirectory } from './support.js';

const { at, names } = temporaryDirectory();

async function metadataOf(path: string): Promise<GgufMetadata> {
  const file = await openGgufFile(path);
  await file.close();
  return file.metadata;
}

const ofTokenizer = (metadata: GgufMetadata) =>
  [...metadata].filter(([key]) => key.startsWith('tokenizer.'));

it.each([
  ['no tokenizer', {}],
  ['one of another kind', UNIGRAM],
])('a directory with %s: to a directory as it is, to a GGUF file without', async (_, files) => {
  const source = await gqaWith(at('source'), files);
  const { notes } = await convertModel(source, at('copy'));
  expect(notes).toEqual([]);
  for (const [name, content] of Object.entries(files))
    expect(await readFile(at('copy', name), 'utf8')).toBe(content);

  const written = await convertModel(source, at('model.gguf'));
  expect(written.notes.join()).toContain('no tokenizer is written, so that the model takes token');
  const value = { type: 'string', value: 'none' }; // as llama.cpp's converter says it
  const metadata = await metadataOf(at('model.gguf'));
  expect(metadata.get('tokenizer.ggml.model')).toEqual(value);
  expect(metadata.has('tokenizer.ggml.tokens')).toBe(false);
  await expectSameTensors(at('model.gguf'), goldenPath('gqa'));
  expect(await configOf(at('model.gguf'))).toEqual(await configOf(source));
  await expect(openTokenizer(at('model.gguf'))).rejects.toThrow('the file has no tokenizer');
});

it('a GGUF file with one of another name: to GGUF key by key, to a directory without', async () => {
  const source = await mhaCalling(at('source.gguf'), 'bert');
  const { notes } = await quantizeModel(source, at('copy.gguf'), { type: 'q8_0' });
  expect(notes.join()).toContain('the tokenizer goes along unread, as it is');
  const expected = ofTokenizer(await metadataOf(source));
  expect(expected.length).toBeGreaterThan(8);
  expect(ofTokenizer(await metadataOf(at('copy.gguf')))).toEqual(expected);

  const written = await convertModel(source, at('model'));
  expect(written.notes.join()).toContain('no tokenizer is written');
  await expectSameTensors(at('model'), goldenPath('mha'));
  expect(await names()).toEqual(['copy.gguf', 'model', 'source.gguf']);
  expect(written.files.map(({ name }) => name)).toEqual(['config.json', 'model.safetensors']);
});
