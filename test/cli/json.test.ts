/** --json-schema and --json-object. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LlamaError } from '../../src/base/errors.js';
import { constraintFor } from '../../src/cli/arguments/json.js';
import { goldenPath } from '../support/golden.js';
import { cli, json } from './support.js';

const SCHEMA = {
  properties: {
    n: { type: 'integer', minimum: 1, maximum: 99 },
    word: { type: 'string', maxLength: 8 },
  },
  required: ['n', 'word'],
};
const generate = ['generate', '--prompt', 'How many words are these? ladder, clerk.'];

describe('generate --json-schema', () => {
  let directory: string;
  const file = (name: string) => join(directory, name);
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'llama-32k-schema-'));
    await writeFile(file('schema.json'), JSON.stringify(SCHEMA));
    await writeFile(file('wrong.json'), JSON.stringify({ items: { contains: {} } }));
    await writeFile(file('broken.json'), '{"type":');
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('prints JSON of the schema, greedy and drawn', async () => {
    for (const more of [[], ['--temperature', '1.5', '--seed', '7']]) {
      const args = [...generate, '--json-schema', file('schema.json'), ...more];
      const { code, stdout, stderr } = await cli(args);
      expect(code).toBe(0);
      expect(stderr).not.toMatch(/not complete/);
      const { n, word } = JSON.parse(stdout);
      expect(Number.isInteger(n) && n >= 1 && n <= 99).toBe(true);
      expect([...word].length).toBeLessThanOrEqual(8);
    }
  });

  it('reads the schema from stdin, and --json has the text in it', async () => {
    const args = [...generate, '--json-schema', '-'];
    const { text, finish_reason } = await json(args, '{"enum":["yes","no"]}');
    expect(['"yes"', '"no"']).toContain(text.trim());
    expect(finish_reason).toBe('stop');
  });

  it('names a keyword that is not supported, and where it stands', async () => {
    const { code, stderr } = await cli([...generate, '--json-schema', file('wrong.json')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--json-schema: .*#\/items: keyword "contains" is not supported/);
  });

  it('says what is wrong with a file', async () => {
    const run = (path: string) => cli([...generate, '--json-schema', path]);
    expect((await run(file('broken.json'))).stderr).toMatch(/broken\.json: not JSON/);
    expect((await run(file('none.json'))).stderr).toMatch(/there is no .*none\.json/);
    expect((await run(file('none.json'))).code).toBe(2);
  });

  it('says that the JSON was cut at a limit', async () => {
    const args = [...generate, '--json-schema', file('schema.json'), '--max-new-tokens', '3'];
    const { code, stderr } = await cli(args);
    expect(code).toBe(0);
    expect(stderr).toMatch(/the JSON is not complete: ended after 3 tokens, the limit/);
  });

  it('goes on from token ids, too', async () => {
    const args = ['generate', '--tokens', '1,2', '--json-object', '--model', goldenPath('gqa')];
    const { code, stderr } = await cli([...args, '--max-new-tokens', '4']);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/not complete/)]);
  });

  it('needs a tokenizer', () => {
    const refusal = new LlamaError('NOT_FOUND', 'there is no tokenizer');
    expect(() => constraintFor({ schema: undefined }, refusal)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/leave out --json-schema/) }),
    );
  });

  it('and --json-object exclude each other', async () => {
    const args = [...generate, '--json-object', '--json-schema', file('schema.json')];
    const { code, stderr } = await cli(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/both given/);
  });
});

it('generate --json-object begins an object', async () => {
  const { text } = await json([...generate, '--json-object', '--max-new-tokens', '5']);
  expect(text).toMatch(/^ ?\{/);
});
