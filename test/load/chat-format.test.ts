import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openChatFormat, readChatTemplates } from '../../src/load/chat-format.js';
import { openTokenizer } from '../../src/load/tokenizer.js';
import type { Message } from '../../src/text/prompt.js';
import { goldenPath } from '../support/golden.js';
import { goldenChat } from '../text/chat/support.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chat-format-'));
  await cp(goldenPath('chat/v4'), directory, { recursive: true });
});
afterEach(() => rm(directory, { recursive: true }));

const HI: readonly Message[] = [{ role: 'user', content: 'Hi' }];
const config = (fields: object) =>
  writeFile(join(directory, 'tokenizer_config.json'), JSON.stringify(fields));
const open = async (choice?: string) =>
  openChatFormat({ path: directory, tokenizer: await openTokenizer(directory) }, choice);
const render = async (choice?: string) => {
  const { template } = await open(choice);
  return template?.render(HI, {});
};

it.each([
  ['v4', 'tokenizer_config.json'],
  ['v5', 'chat_template.jinja'],
])(
  'what transformers %s saves: the ids are those of the default template',
  async (name, origin) => {
    const path = goldenPath(`chat/${name}`);
    expect(await readChatTemplates(path)).toMatchObject({ origin });
    const format = await openChatFormat({ path, tokenizer: await openTokenizer(path) });
    for (const { messages, ids } of goldenChat.cases.filter(each => each.template === 'chatml'))
      if (ids !== undefined) expect(format.encode(messages)).toEqual(ids);
  },
);

it('files count before tokenizer_config.json, and a choice before both', async () => {
  await config({ chat_template: 'config' });
  expect(await render()).toBe('config');
  await writeFile(join(directory, 'chat_template.jinja'), 'file');
  expect(await render()).toBe('file');
  await writeFile(join(directory, 'other'), 'other');
  expect(await render(join(directory, 'other'))).toBe('other');
  expect((await open('card')).template).toBeUndefined();
});

it.each([{}, { chat_template: null }])("is the card's format for %j", async fields => {
  await config(fields);
  expect((await open()).template).toBeUndefined();
});

it('refuses templates of which none is the default, with a next step', async () => {
  await config({ chat_template: [{ name: 'tool_use', template: 'a' }] });
  await expect(open()).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('tool_use, and none is the default; write one to a file'),
  });
});

it.each([5, [5], [{ name: 'default' }]])('refuses chat_template %j', async chat_template => {
  await config({ chat_template });
  await expect(open()).rejects.toMatchObject({ code: 'BAD_TOKENIZER' });
});

it.each(['{% for %}', '{{ x', '{% include "a" %}'])(
  'refuses %s, with a next step',
  async source => {
    await config({ chat_template: source });
    const message = expect.stringContaining('give --chat-template card');
    await expect(open()).rejects.toMatchObject({ code: 'UNSUPPORTED', message });
  },
);
