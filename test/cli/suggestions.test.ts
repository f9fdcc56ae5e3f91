/** What the embedded model understands is shown where somebody would say "Hello" to it. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { SUGGESTIONS } from '../../src/cli/arguments/suggestions.js';
import { formatPrompt } from '../../src/text/prompt.js';
import { goldenPath } from '../support/golden.js';
import { cli, FakeIo } from './support.js';

const oneLine = (text: string) => text.replace(/\s+/g, ' ');
const golden: { prompt: string; wanted: string; reply: string }[] = JSON.parse(
  await readFile(goldenPath('tiny-32k/greedy.json'), 'utf8'),
);

it('there are three', () => expect(SUGGESTIONS).toHaveLength(3));

it.each(SUGGESTIONS)('transformers has it answer "%s" rightly, and so have we', async content => {
  const prompt = formatPrompt([{ role: 'user', content }]);
  const { wanted, reply } = golden.find(each => each.prompt === prompt)!;
  expect(reply).toBe(wanted);
  expect((await cli(['generate', '--prompt', content])).stdout).toBe(reply);
});

it.each([['--help'], ['generate', '--help'], ['chat', '--help']])(
  '%s %s shows them',
  async (...args) => {
    const { stdout } = await cli(args);
    for (const text of SUGGESTIONS) expect(oneLine(stdout)).toContain(`"${text}"`);
  },
);

it('chat shows them first on a terminal, and nothing from a pipe', async () => {
  const io = new FakeIo(['stdin', 'stdout', 'stderr'], { NO_COLOR: '1' });
  expect(await cli(['chat'], '', io)).toMatchObject({ code: 0 });
  for (const text of SUGGESTIONS) expect(io.stderr.text).toContain(`\n  ${text}\n`);
  expect((await cli(['chat'])).stderr).not.toContain(SUGGESTIONS[0]);
});
