/** Chat templates of golden/chat, carried from form to form byte for byte. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { convertModel } from '../../src/convert/convert.js';
import { readChatTemplates } from '../../src/load/chat-format.js';
import { goldenPath } from '../support/golden.js';
import { temporaryDirectory } from './support.js';

const { at } = temporaryDirectory();

const templatesOf = async (path: string) => (await readChatTemplates(path))?.templates;

/** golden/mha with the chat templates of golden/chat, as transformers 4 or 5 saves them. */
async function model(version: 'v4' | 'v5'): Promise<string> {
  const path = at('model');
  await mkdir(path);
  for (const file of ['config.json', 'model.safetensors', 'tokenizer.model'])
    await cp(goldenPath(`mha/${file}`), join(path, file));
  const { chat_template } = JSON.parse(
    await readFile(goldenPath(`chat/${version}/tokenizer_config.json`), 'utf8'),
  );
  if (version === 'v4')
    await writeFile(join(path, 'tokenizer_config.json'), JSON.stringify({ chat_template }));
  else
    for (const file of ['chat_template.jinja', 'additional_chat_templates'])
      await cp(goldenPath(`chat/v5/${file}`), join(path, file), { recursive: true });
  return path;
}

it.each(['v4', 'v5'] as const)('as transformers %s saves them', async version => {
  const source = await model(version);
  const templates = await templatesOf(source);
  expect([...templates!.keys()].sort()).toEqual(['default', 'tool_use']);
  await convertModel(source, at('copy'));
  await convertModel(source, at('a.gguf'));
  await convertModel(at('a.gguf'), at('b.gguf'), { type: 'f16' });
  await convertModel(at('b.gguf'), at('back'));
  for (const name of ['copy', 'a.gguf', 'b.gguf', 'back'])
    expect(await templatesOf(at(name)), name).toEqual(templates);
});

it('with line ends and signs of any kind, to the byte', async () => {
  const source = await model('v5');
  const bytes = Buffer.from('\ufeff{{ bos_token }}\r\n\t☃\r{# 🌱 #}\n\n');
  await writeFile(join(source, 'chat_template.jinja'), bytes);
  await convertModel(source, at('a.gguf'));
  await convertModel(at('a.gguf'), at('back'));
  expect(await readFile(at('back', 'chat_template.jinja'))).toEqual(bytes);
});

it('there is none in the end if there was none', async () => {
  await convertModel(goldenPath('mha'), at('a.gguf'));
  await convertModel(at('a.gguf'), at('back'));
  expect(await templatesOf(at('a.gguf'))).toBeUndefined();
  expect(await templatesOf(at('back'))).toBeUndefined();
});
