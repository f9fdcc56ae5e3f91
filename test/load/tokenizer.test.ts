import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkVocabulary, openTokenizer, openTokenizerModel } from '../../src/load/tokenizer.js';
import { errorOf, fromMetaspace, fromModel, goldenDirectory } from '../tokenizer/support.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenizer-'));
});
afterEach(() => rm(directory, { recursive: true }));

const put = (from: string, to: string) =>
  copyFile(join(goldenDirectory, from), join(directory, to));

it('reads texts as tokenizer.json says, and takes the scores of tokenizer.model', async () => {
  await put('tokenizer.model', 'tokenizer.model');
  expect((await openTokenizer(directory)).encode(' the')).toEqual(fromModel.encode(' the'));
  await put('tokenizer-metaspace.json', 'tokenizer.json');
  expect((await openTokenizer(directory)).encode(' the')).toEqual(fromMetaspace.encode(' the'));
  const model = await openTokenizerModel(directory);
  expect(model.kind === 'sentencepiece' && model.scores).toHaveLength(331);
});

it('refuses two files that are two tokenizers', async () => {
  await put('tokenizer.model', 'tokenizer.model');
  const json = JSON.parse(await readFile(join(goldenDirectory, 'tokenizer.json'), 'utf8'));
  const { vocab } = json.model;
  [vocab.a, vocab.b] = [vocab.b, vocab.a];
  await writeFile(join(directory, 'tokenizer.json'), JSON.stringify(json));
  const message = expect.stringMatching(/"[ab]" in tokenizer.model and "[ab]" in tokenizer.json/);
  await expect(openTokenizer(directory)).rejects.toMatchObject({ code: 'BAD_TOKENIZER', message });
});

describe('added tokens', () => {
  const write = (file: string, content: unknown) =>
    writeFile(join(directory, file), JSON.stringify(content));
  const chat = { '<|im_start|>': 331, '<|im_end|>': 332 };

  it('of added_tokens.json; special where tokenizer_config.json gives them a part', async () => {
    await put('tokenizer.model', 'tokenizer.model');
    await write('added_tokens.json', chat);
    await write('tokenizer_config.json', { eos_token: '<|im_end|>', legacy: false });
    const tokenizer = await openTokenizer(directory);
    expect(tokenizer).toMatchObject({ vocabSize: 333, bosId: 1, eosId: 332 });
    const text = '<|im_start|>the<|im_end|>';
    const the = fromModel.encode('the', { continuation: true });
    expect(tokenizer.encode(text, { special: 'added' })).toEqual([331, ...the, 332]);
    expect(tokenizer.encode(text)).toEqual([
      331,
      ...fromModel.encode('the<|im_end|>', { continuation: true }),
    ]);
    expect(tokenizer.decode([331, 332])).toBe('<|im_start|>');
  });

  it('of added_tokens.json have the flags of their part, and are not normalized', async () => {
    await put('tokenizer.model', 'tokenizer.model');
    await write('added_tokens.json', { ...chat, word: 333 });
    const padding = { content: '<|im_start|>', lstrip: true, normalized: false };
    const parts = { pad_token: padding, additional_special_tokens: ['<|im_end|>'] };
    await write('special_tokens_map.json', parts);
    const tokenizer = await openTokenizer(directory);
    const the = fromModel.encode('the');
    const ids = (text: string) => tokenizer.encode(text, { special: 'added' });
    expect(ids('the <|im_start|>')).toEqual([...the, 331]);
    expect(ids('the<|im_end|>')).toEqual([...the, 332]);
    // Looked for as the normalizer leaves it, which puts "▁" in front: only where a text begins.
    expect(ids('word')).toEqual([333]);
    expect(ids('theword')).not.toContain(333);
  });

  it('of special_tokens_map.json, which goes before tokenizer_config.json', async () => {
    await put('tokenizer.model', 'tokenizer.model');
    await write('added_tokens.json', chat);
    await write('special_tokens_map.json', { eos_token: { content: '<|im_start|>' } });
    await write('tokenizer_config.json', { eos_token: '<|im_end|>' });
    expect((await openTokenizer(directory)).eosId).toBe(331);
  });

  it('of added_tokens_decoder, beside which the two others are not looked at', async () => {
    await put('tokenizer.json', 'tokenizer.json');
    await write('added_tokens.json', { nothing: 7 });
    await write('special_tokens_map.json', { eos_token: '[PAD]' });
    const entry = { content: '[PAD]', special: true, lstrip: true };
    await write('tokenizer_config.json', { added_tokens_decoder: { 340: entry } });
    const tokenizer = await openTokenizer(directory);
    expect(tokenizer).toMatchObject({ vocabSize: 341, eosId: 2 });
    expect(tokenizer.decode([335])).toBe('');
    expect(tokenizer.encode('the [PAD]', { special: true })).toEqual([
      ...fromModel.encode('the'),
      340,
    ]);
  });

  it('without an id get the next ones, and may be behind the vocabulary of the model', async () => {
    await put('tokenizer.model', 'tokenizer.model');
    await write('tokenizer_config.json', { pad_token: '[PAD]', extra_special_tokens: ['<x>'] });
    const tokenizer = await openTokenizer(directory);
    expect([tokenizer.idOf('[PAD]'), tokenizer.idOf('<x>')]).toEqual([331, 332]);
    checkVocabulary(tokenizer, 331);
  });

  const the = fromModel.idOf('▁the')!;
  it.each<[unknown, string]>([
    [{ '▁the': 331 }, `"▁the" has id 331 in added_tokens.json, and ${the} in another file`],
    [{ '<x>': the }, `id ${the} is "<x>" in added_tokens.json, and "▁the" in another file`],
    [{ '<x>': -1 }, 'the id of "<x>" is -1'],
    [[], 'added_tokens.json is [], not an object'],
  ])('are refused where two files contradict each other: %j', async (content, message) => {
    await put('tokenizer.model', 'tokenizer.model');
    await write('added_tokens.json', content);
    await expect(openTokenizer(directory)).rejects.toMatchObject({
      code: 'BAD_TOKENIZER',
      message: expect.stringContaining(message),
    });
  });
});

describe('notes', () => {
  const open = async (json: object, config: object) => {
    const content = JSON.parse(await readFile(join(goldenDirectory, 'tokenizer.json'), 'utf8'));
    await writeFile(join(directory, 'tokenizer.json'), JSON.stringify({ ...content, ...json }));
    await writeFile(join(directory, 'tokenizer_config.json'), JSON.stringify(config));
    return openTokenizer(directory);
  };

  it('name, with the file, what is said of whole texts and changes no id', async () => {
    const bytes = { type: 'ByteLevel', trim_offsets: false };
    const json = { truncation: { max_length: 3 }, padding: { pad_id: 0 }, post_processor: bytes };
    const config = { add_eos_token: true, clean_up_tokenization_spaces: true };
    const tokenizer = await open(json, config);
    const [file, configFile] = ['tokenizer.json', 'tokenizer_config.json'].map(name =>
      join(directory, name),
    );
    expect(tokenizer.notes.map(note => note.split(';')[0])).toEqual([
      `${file}: truncation is {"max_length":3}`,
      `${file}: padding is {"pad_id":0}`,
      `${file}: post_processor has "ByteLevel"`,
      `${configFile}: add_eos_token is true`,
      `${configFile}: clean_up_tokenization_spaces is true`,
    ]);
    const text = 'the old sailor, the old sailor';
    expect(tokenizer.encode(text)).toEqual(fromModel.encode(text));
  });

  it('do not name what is usual', async () => {
    const config = { add_bos_token: true, add_eos_token: false, model_max_length: 5 };
    expect((await open({ truncation: null }, config)).notes).toEqual([]);
  });
});

it('says what it looked for, and where', async () => {
  const neither = `there is neither tokenizer.model nor tokenizer.json in ${directory}`;
  await expect(openTokenizer(directory)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: neither,
  });
  const absent = join(directory, 'absent');
  await expect(openTokenizer(absent)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining(absent),
  });
  await mkdir(join(directory, 'tokenizer.model'));
  await expect(openTokenizer(directory)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it.skipIf(process.platform === 'win32').each(['tokenizer.model', 'tokenizer.json'])(
  'does not wait for %s that is a pipe',
  async file => {
    execFileSync('mkfifo', [join(directory, file)]);
    const message = expect.stringContaining('a pipe or a device, not a file');
    await expect(openTokenizer(directory)).rejects.toMatchObject({ code: 'NOT_FOUND', message });
  },
);

it('says which file is broken, and does not take the other one instead', async () => {
  await put('tokenizer.json', 'tokenizer.json');
  await writeFile(join(directory, 'tokenizer.model'), 'version https://git-lfs.github.com/spec/v1');
  const message = expect.stringContaining(join(directory, 'tokenizer.model'));
  await expect(openTokenizer(directory)).rejects.toMatchObject({ code: 'BAD_TOKENIZER', message });
});

it('names the file once', async () => {
  const path = join(directory, 'tokenizer.json');
  for (const content of ['{', 'null']) {
    await writeFile(path, content);
    const { code, message } = await openTokenizer(directory).catch(error => error);
    expect(code).toBe('BAD_TOKENIZER');
    expect(message.startsWith(`${path}: the content`)).toBe(true);
    expect(message.split('tokenizer.json')).toHaveLength(2);
  }
});

it('a model may have more tokens than the tokenizer, not fewer', () => {
  checkVocabulary(fromModel, 331);
  checkVocabulary(fromModel, 512);
  const { message } = errorOf('BAD_TOKENIZER', () => checkVocabulary(fromModel, 330));
  expect(message).toMatch('the tokenizer has 331 pieces, the model only 330');
});
