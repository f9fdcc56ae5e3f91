/** What generation_config.json says and the command line does not follow is told. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldenPath } from '../support/golden.js';
import { cli } from './support.js';

let path: string;
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'llama-32k-generation-'));
  await cp(goldenPath('gqa'), path, { recursive: true, filter: file => !/trace/.test(file) });
});
afterAll(() => rm(path, { recursive: true }));

const put = (config: object) =>
  writeFile(join(path, 'generation_config.json'), JSON.stringify({ eos_token_id: 2, ...config }));
const said = async (...args: string[]) => {
  const { code, stderr } = await cli(['generate', '--tokens', '1,183', '--model', path, ...args]);
  expect([code, stderr]).toEqual([0, stderr]);
  return stderr.replace(/^llama-32k: /, '').trimEnd();
};
const limit = ['--max-new-tokens', '1'];

/** Of Llama-2-7b-chat-hf. */
const CHAT = {
  bos_token_id: 1,
  do_sample: true,
  eos_token_id: 2,
  pad_token_id: 0,
  temperature: 0.6,
  max_length: 4096,
  top_p: 0.9,
  transformers_version: '4.32.0.dev0',
};

it.each<[object, string[], string]>([
  [
    { ...CHAT, max_length: 6 },
    ['--max-length', '4'],
    'do_sample true, temperature 0.6, top_p 0.9: not used; give --temperature 0.6 --top-p 0.9',
  ],
  [{ do_sample: true }, limit, 'do_sample true: not used; give --temperature 1'],
  [CHAT, [...limit, '--temperature', '0.5'], 'top_p 0.9: not used; give --top-p 0.9'],
  [
    { repetition_penalty: 1.1, temperature: 0.7 },
    limit,
    'repetition_penalty 1.1: not used; give --repetition-penalty 1.1',
  ],
  [{ num_beams: 4, stop_strings: ['x'] }, limit, 'stop_strings ["x"], num_beams 4: not used'],
  [
    { bad_words_ids: [[5], [6, 7]], no_repeat_ngram_size: 3, min_length: 5 },
    limit,
    'min_length 5, no_repeat_ngram_size 3, bad_words_ids [[5],[6,7]]: not used; give ' +
      '--min-length 5 --no-repeat-ngram-size 3 --bad-words-ids 5 --bad-words-ids 6,7',
  ],
  [{ top_k: 40 }, [...limit, '--temperature', '0.5'], 'top_k 40: not used; give --top-k 40'],
])('%j with %j', async (config, args, message) => {
  await put(config);
  expect(await said(...args)).toBe(`generation_config.json says ${message}`);
});

it('a limit of length is one too, if none is given', async () => {
  await put({ max_new_tokens: 9 });
  expect(await said()).toContain(
    'generation_config.json says max_new_tokens 9: not used; give --max-new-tokens 9',
  );
});

it.each<[object, string[]]>([
  // transformers does not use them either
  [{ do_sample: false, temperature: 0.6, top_p: 0.9, top_k: 50 }, []],
  [{ temperature: 0.6, top_p: 0.9, max_length: 4096 }, []],
  [{ do_sample: null, repetition_penalty: 1, num_beams: 1, max_length: null }, []],
  [CHAT, ['--temperature', '0.6', '--top-p', '1']],
  [CHAT, ['--temperature', '0']],
  [{ unheard_of: 1, use_cache: true }, []],
])('nothing for %j with %j, which makes no difference', async (config, args) => {
  await put(config);
  expect(await said(...limit, ...args)).toBe('');
});

it('chat says it too, and neither does with --json', async () => {
  await put(CHAT);
  const chat = ['chat', '--model', path, ...limit];
  expect((await cli(chat)).stderr).toContain('generation_config.json says do_sample true');
  expect((await cli([...chat, '--json'])).stderr).toBe('');
  expect(await said(...limit, '--json')).toBe('');
});
