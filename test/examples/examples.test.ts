import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { node } from '../support/child.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

/** What each of them says on stdout; the replies are those of golden/tiny-32k/greedy.json. */
const SAID: Record<string, RegExp> = {
  'cancel.js':
    /^\d+ % of the prompt are read\ncancelled: that is enough\nand then 3 tokens more\n$/,
  'chat.js':
    /Good day, Otto Yeldale\.\n {2}\(0 tokens .*\nYour name is Otto Yeldale\.\n {2}\([1-9]/s,
  'concurrent.js': /^They are quiet and dirty\.\nIt is hare\.\nGood day, Otto Yeldale\.\n$/,
  'convert.js': /^\d+ tensors, \d+ bytes\nIt is hare\.\n$/,
  'generate.js': /^They are quiet and dirty\.\n$/,
  'ids.js': /^\d+( \d+){4}\n$/,
  'json.js': /^[^\n]{0,60} \| (low|middle|high)( \| [a-z]{1,8}){0,2}\n$/,
  'logits.js': /^▁hare +0\.9\d{3} +\d+\.\d{6}\n(.* 0\.0\d{3} +-?\d+\.\d{6}\n){4}$/,
};

describe('examples/', () => {
  it('are all run here', () => {
    const programs = readdirSync(EXAMPLES).filter(name => name.endsWith('.js'));
    expect(programs.sort()).toEqual(Object.keys(SAID));
  });

  it.each(Object.entries(SAID))('%s', async (name, said) => {
    const { code, stdout, stderr } = await node(EXAMPLES + name);
    expect(stderr).toBe('');
    expect(stdout).toMatch(said);
    expect(code).toBe(0);
  });
});
