/** The walk-through of docs/oracle.md, its commands as they stand there. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './support.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llama-32k-walk-'));
});
afterAll(() => rm(folder, { recursive: true }));

const text = await readFile(new URL('../../docs/oracle.md', import.meta.url), 'utf8');
/** Blocks of commands, each with what is printed after it. */
const blocks = [...text.matchAll(/```sh\n(.*?)```.*?```\n(.*?)```/gs)];

/** The words of each `npx llama-32k …`, as a shell has them. */
function commandsOf(block: string, variables: Map<string, string>): string[][] {
  const joined = block.replaceAll('\\\n', ' ');
  return joined.split('\n').flatMap(line => {
    const assigned = /^(\w+)="(.*)"$/.exec(line);
    if (assigned) variables.set(assigned[1], assigned[2]);
    const given = /^npx llama-32k (.*?)(?: > \/dev\/null)?$/.exec(line);
    if (!given) return [];
    const words = given[1].match(/"[^"]*"|\S+/g) ?? [];
    return [words.map(word => word.replace(/^"\$(\w+)"$/, (_, name) => variables.get(name) ?? ''))];
  });
}

describe('docs/oracle.md', () => {
  const variables = new Map<string, string>();

  it.each([
    ['rope.factor-ignored', 0],
    ['rope.factor-inverted', 1],
  ] as const)('finds %s in the numbers that its commands make', async (id, index) => {
    const [, commands, said] = blocks[index];
    expect(said).toContain(id);
    const [make, compare] = commandsOf(commands, variables).map(words =>
      words.map(word => (word.endsWith('.safetensors') ? join(folder, word) : word)),
    );
    expect((await cli(make)).code).toBe(0);
    const { code, stdout } = await cli([...compare, '--json']);
    expect(code).toBe(5);
    const { diagnosis, firstDivergence } = JSON.parse(stdout);
    expect(diagnosis[0].id).toBe(id);
    expect(firstDivergence.position).toBe(1);
  });
});
