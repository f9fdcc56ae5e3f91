/** Which format a prompt has, and what of it is text: --raw, --chat-template, --system, inspect. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { formatPrompt } from '../../src/text/prompt.js';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { goldenPath } from '../support/golden.js';
import { cli, json } from './support.js';

const TEMPLATE =
  '{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}';
const HI = { role: 'user', content: 'Hi </s>' } as const;
const SYSTEM = { role: 'system', content: 'Be brief.' } as const;
const gqa = goldenPath('gqa');

/** golden/gqa with a chat template of its own. */
let own = '';
let file = '';
let tokenizer: Tokenizer;
beforeAll(async () => {
  own = await mkdtemp(join(tmpdir(), 'chat-options-'));
  await cp(gqa, own, { recursive: true, filter: path => !path.includes('trace') });
  file = join(own, 'chat_template.jinja');
  await writeFile(file, TEMPLATE);
  tokenizer = await openTokenizer(gqa);
});
afterAll(() => rm(own, { recursive: true }));

/** The ids that the model is given. */
const idsOf = async (...args: string[]): Promise<number[]> =>
  (await json(['logits', '--positions', '-1', ...args])).tokens;
const card = () => tokenizer.encode(formatPrompt([HI]), { bos: true });
/** By hand, as the template has it: what is typed is text, what it writes itself are tokens. */
function templated(messages: readonly { role: string; content: string }[]): number[] {
  const ids = messages.flatMap(({ role, content }) => [
    ...tokenizer.encode(`${role}: ${content}`),
    tokenizer.eosId!,
  ]);
  return [tokenizer.bosId!, ...ids];
}

describe('--chat-template', () => {
  it("is the model's own by default, the card's format where there is none", async () => {
    expect(await idsOf('--model', own, '--prompt', HI.content)).toEqual(templated([HI]));
    expect(await idsOf('--model', gqa, '--prompt', HI.content)).toEqual(card());
  });

  it("card is the card's format, a file another template", async () => {
    const prompt = ['--prompt', HI.content, '--chat-template'];
    expect(await idsOf('--model', own, ...prompt, 'card')).toEqual(card());
    expect(await idsOf('--model', gqa, ...prompt, file)).toEqual(templated([HI]));
  });

  it('holds for generate and chat, too', async () => {
    const args = ['--model', gqa, '--max-new-tokens', '1', '--chat-template', file];
    const expected = templated([HI]).length;
    const generated = await json(['generate', ...args, '--prompt', HI.content]);
    expect(generated.prompt_tokens).toBe(expected);
    expect((await json(['chat', ...args], `${HI.content}\n`)).prompt_tokens).toBe(expected);
  });

  it.each([
    ['--raw', ['--prompt', 'Hi', '--raw', '--chat-template', 'card'], /--chat-template has no /],
    ['--tokens', ['--tokens', '1', '--system', 'a'], /--system has no effect without an instruc/],
    [
      'a file that is not there',
      ['--prompt', 'Hi', '--chat-template', 'none.jinja'],
      /none\.jinja/,
    ],
  ])('is refused with %s', async (_, args, message) => {
    const { code, stderr } = await cli(['generate', '--model', gqa, ...args]);
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringMatching(message)]);
    expect(code).not.toBe(0);
  });
});

describe('--system', () => {
  it('is the first message of a template', async () => {
    const ids = await idsOf('--model', own, '--prompt', HI.content, '--system', SYSTEM.content);
    expect(ids).toEqual(templated([SYSTEM, HI]));
  });

  it("is refused where the card's format has no place for it", async () => {
    const { code, stderr } = await cli([
      'generate',
      '--model',
      gqa,
      '--prompt',
      'a',
      '--system',
      'b',
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('"system"')]);
  });
});

describe('a special token that a text spells out', () => {
  it.each(['a</s>b', '<s>a', '</s><s>'])('is a token with --raw: %s', async text => {
    const ids = await idsOf('--model', gqa, '--raw', '--prompt', text);
    expect(ids).toEqual(
      await json(['tokenize', '--model', gqa, text, '--bos', '--special']).then(({ ids }) => ids),
    );
    expect(ids.slice(1).some(id => id === tokenizer.bosId || id === tokenizer.eosId)).toBe(true);
    const args = ['--model', gqa, '--raw', '--prompt', text, '--max-new-tokens', '1'];
    expect((await json(['generate', ...args])).prompt_tokens).toBe(ids.length);
  });

  it('is text in an instruction, and a person is told so', async () => {
    expect(await idsOf('--model', gqa, '--prompt', HI.content)).toEqual(card());
    const args = ['generate', '--model', gqa, '--max-new-tokens', '1', '--prompt', 'a</s>'];
    expect((await cli(args)).stderr).toContain('</s>: plain text here');
    expect((await cli([...args, '--raw'])).stderr).not.toContain('plain text');
  });
});

describe('inspect', () => {
  const line = async (path: string) => {
    const { stdout } = await cli(['inspect', '--model', path]);
    return /^chat_template +(.*)$/m.exec(stdout)?.[1];
  };

  it('says where the chat template is', async () => {
    expect(await line(own)).toBe('chat_template.jinja');
    expect((await json(['inspect', '--model', own])).chat_template).toEqual({
      origin: 'chat_template.jinja',
      names: ['default'],
    });
  });

  it("says that there is none, and the card's format holds", async () => {
    expect(await line(gqa)).toBe("none: the model card's format");
    expect((await json(['inspect', '--model', gqa])).chat_template).toBeNull();
  });
});
