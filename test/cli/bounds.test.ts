/** What is larger than can be is refused before it costs anything, and what has no end, too. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { alignColumns } from '../../src/base/table.js';
import { run } from '../../src/cli/run.js';
import { goldenPath } from '../support/golden.js';
import { cli, FakeIo } from './support.js';

const model = ['--model', goldenPath('mha')];
const SECONDS = 1000;

/** As `yes` writes. */
function* endless() {
  const bytes = Buffer.alloc(2 ** 20, '1 ');
  for (;;) yield bytes;
}

describe('bench', () => {
  it.each([
    [['--prompt-tokens', '1000000000'], 1000000064],
    [['--new-tokens', '9007199254740991', '--prompt-tokens', '1'], 9007199254740992],
    [['--prompt-tokens', '1000000000', '--kernels', 'exact'], 1000000064],
  ])(
    '%j is refused before it begins',
    async (args, positions) => {
      const { code, stderr } = await cli(['bench', ...model, ...args]);
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`${positions} together, .* positions.*CONTEXT_OVERFLOW`));
    },
    20 * SECONDS,
  );
});

describe('a text of 30 MB', () => {
  const text = 'Once upon a time. '.repeat(1_700_000);

  it.each(['generate', 'logits'])(
    'is refused by %s without being tokenized',
    async verb => {
      const { code, stderr } = await cli([verb, ...model, '--prompt', '-', '--raw'], text);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(
          /has 30600000 characters, which are \d+ tokens or more, and the model/,
        ),
      ]);
    },
    20 * SECONDS,
  );
});

describe.each([
  ["the card's format", []],
  ['a template', ['--chat-template', join(goldenPath('chat/v5'), 'chat_template.jinja')]],
])('messages of 30 MB, in %s', (_, format) => {
  const text = 'Once upon a time. '.repeat(1_700_000);
  const refusal = /has 30600\d\d\d characters, which are \d+ tokens or more, and the model/;

  it(
    'are refused without being tokenized, by generate and by chat, which goes on',
    async () => {
      const args = [...model, ...format];
      const generated = await cli(['generate', ...args, '--prompt', '-'], text);
      expect([generated.code, generated.stderr]).toEqual([1, expect.stringMatching(refusal)]);
      const said = await cli(['chat', ...args, '--max-new-tokens', '2'], `${text}\nHi\n`);
      expect(said).toMatchObject({ code: 0, stderr: expect.stringMatching(refusal) });
      expect(said.stdout).not.toBe('');
    },
    20 * SECONDS,
  );
});

describe('an endless', () => {
  it.each([
    ['generate', '--prompt', '-'],
    ['logits', '--tokens-file', '-'],
    ['tokenize', '-'],
    ['detokenize', '-'],
  ])(
    'stdin ends %s',
    async (...args) => {
      const { stdout, stderr, env } = new FakeIo();
      const stdin = Readable.from(endless());
      const io = { stdin, stdout, stderr, env, onInterrupt: () => () => {} };
      expect([await run([...args, ...model], io), stderr.text]).toEqual([
        2,
        expect.stringContaining('stdin is longer than 67.1 MB, the most that is read'),
      ]);
    },
    20 * SECONDS,
  );

  it.skipIf(process.platform === 'win32')('file of tokens ends logits', async () => {
    const { code, stderr } = await cli(['logits', ...model, '--tokens-file', '/dev/zero']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('/dev/zero is longer than')]);
  });
});

it('a table may have more rows than a stack has room for', () => {
  const rows = Array.from({ length: 300_000 }, () => ['a', '1']);
  expect(alignColumns(rows)).toHaveLength(300_000);
});
