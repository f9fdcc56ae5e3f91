/** compare, vectors and mutants on the command line: exit codes, what is printed and written. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../support/golden.js';
import { cli, json } from './support.js';

const MODEL = ['--model', goldenPath('conformance/toy')];
const TOKENS = [1, 17, 63, 200, 5, 5, 99, 41, 260, 8, 77, 13, 150, 31, 32, 33, 7, 240];
const FEW = ['--samples', '4'];

const said = (...args: string[]) => cli(args);

let folder: string;
const file = (name: string) => join(folder, name);

/** What our own engine gives, with a factor of our choice. */
async function dump(name: string, ...options: string[]): Promise<string> {
  const path = file(`${name}.safetensors`);
  const trace = ['--trace', path, '--names', 'lm_head', '--json'];
  const text = ['--tokens', TOKENS.join()];
  const { code } = await said('logits', ...MODEL, ...text, ...trace, ...options);
  expect(code).toBe(0);
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llama-32k-compare-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('compare', () => {
  it('ends with 0 for our own engine in float32, and says where the budget is from', async () => {
    const theirs = await dump('honest');
    const { code, stdout } = await said('compare', theirs, ...MODEL);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^(WITHIN_BUDGET|EXACT): conforms/);
    expect(stdout).toContain('12 samples');
  });

  it('ends with 5 for an ignored factor, and names it first, in JSON, HTML and JUnit', async () => {
    const theirs = await dump('ignored', '--rope-factor', '1');
    const files = ['--html', file('report.html'), '--junit', file('report.xml')];
    const { code, stdout, stderr } = await said('compare', theirs, ...MODEL, ...files, '--json');
    expect(stderr).toBe('');
    expect(code).toBe(5);
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual(
      expect.arrayContaining([
        ...['verdict', 'engine', 'type', 'tokens', 'firstDivergence', 'tensors', 'diagnosis'],
      ]),
    );
    expect(result).toMatchObject({
      verdict: 'WRONG',
      engine: 'exact-f64',
      type: 'f32',
      tokens: TOKENS.length,
      firstDivergence: { tensor: 'lm_head', position: 1 },
    });
    const { id, explains, references } = result.diagnosis[0];
    expect(id).toBe('rope.factor-ignored');
    expect(explains).toBeGreaterThan(0.999999);
    expect(references[0]).toMatch(/^https:/);
    const html = await readFile(file('report.html'), 'utf8');
    expect(html).toContain('rope.factor-ignored');
    expect(html).not.toMatch(/(src|href)="(?!https:|#)/);
    const junit = await readFile(file('report.xml'), 'utf8');
    expect(junit).toContain('<failure');
  });

  it('takes another program in the place of a file', async () => {
    const program = file('answers.mjs');
    const uniform = `console.log(JSON.stringify({ logits: positions.map(() => row) }))`;
    await writeFile(
      program,
      `import { createInterface } from 'node:readline';
      for await (const line of createInterface({ input: process.stdin })) {
        const { positions } = JSON.parse(line);
        const row = Array.from({ length: 264 }, (_, i) => Math.sin(i));
        ${uniform};
      }`,
    );
    const command = ['--process', `${process.execPath} ${program}`];
    const text = ['--tokens', TOKENS.slice(0, 4).join()];
    const { code, stdout } = await said('compare', ...command, ...MODEL, ...text, ...FEW, '--json');
    expect(code).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'WRONG', diagnosis: [] });
  });

  it.each([
    ['nothing to compare with', [], /THEIRS, --endpoint URL, --process COMMAND/],
    ['two of them', ['a.npz', '--endpoint', 'http://localhost:1'], /several to compare/],
    ['a type that is none', ['a.npz', '--their-type', 'f8'], /"f8".*f32/],
    ['too few samples', ['a.npz', '--samples', '3'], /--samples.*3/],
  ])('refuses %s with 2', async (_, options, message) => {
    const theirs = await dump(`for-${options.length}-${options.at(-1)?.replace(/\W/g, '')}`);
    const given = options.map(option => (option === 'a.npz' ? theirs : option));
    const { code, stderr } = await said('compare', ...MODEL, ...given);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('vectors', () => {
  it('writes the pack that comes with the package', async () => {
    const output = file('pack');
    const { code } = await said('vectors', '--output', output);
    expect(code).toBe(0);
    const { sequences } = JSON.parse(await readFile(join(output, 'manifest.json'), 'utf8'));
    for (const { logits, tokens } of sequences)
      for (const path of [logits, tokens]) await readFile(join(output, path));
  });

  it('writes those of a model, which compare finds to be exact', async () => {
    const output = file('own');
    const text = ['--tokens', TOKENS.slice(0, 7).join()];
    expect((await said('vectors', '-o', output, ...MODEL, ...text)).code).toBe(0);
    expect((await readdir(output)).sort()).toEqual([
      ...['logits.safetensors', 'manifest.json', 'tokens.json', 'trace.safetensors'],
    ]);
    const trace = join(output, 'trace.safetensors');
    const { code, stdout } = await said('compare', trace, ...MODEL, ...FEW, '--json');
    expect(code).toBe(0);
    const { tensors } = JSON.parse(stdout);
    expect(tensors.length).toBeGreaterThan(30);
    for (const { name, verdict } of tensors) expect(verdict, name).toBe('EXACT');
  });

  it('writes into nothing that is there', async () => {
    await writeFile(file('something'), '');
    expect((await said('vectors', '--output', folder)).code).toBe(2);
    expect((await said('vectors', '--output', file('something'))).code).toBe(1);
    expect((await said('vectors')).code).toBe(2);
  });
});

describe('mutants', () => {
  it('says of each bug what it changes in a model, or why it changes nothing', async () => {
    const text = ['--tokens', TOKENS.slice(0, 6).join(), '--types', 'f32'];
    const matrix = await json(['mutants', ...MODEL, ...text]);
    expect(matrix.vectors).toEqual(['logits, f32', 'top 20, f32']);
    const row = (id: string) => matrix.rows.find((one: { id: string }) => one.id === id);
    expect(row('rope.factor-ignored').cells[0].fate).toBe('killed');
    expect(row('rope.factor-ignored').diagnosed).toBe('rope.factor-ignored');
    expect(row('attention.window').cells[0]).toMatchObject({ fate: 'equivalent' });
    expect(matrix.summary.survived).toBe(0);
    expect(matrix.invisible.length).toBeGreaterThan(10);
  });
});
