import { describe, expect, it } from 'vitest';
import type { Asked, AskedLogits } from '../../../src/oracle/endpoint/asked.js';
import { askProcess } from '../../../src/oracle/endpoint/process.js';
import { refusal } from './fake-server.js';

const TOKENS = [1, 40, 50];

/** A program that does `body` with the question, as `tokens` and `positions`, and `say`. */
const program = (body: string): string[] => [
  process.execPath,
  '--eval',
  `
  const say = value => console.log(typeof value === 'string' ? value : JSON.stringify(value));
  const row = position => [position, 0.5, null];
  require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
    const { tokens, positions } = JSON.parse(line);
    ${body}
  });`,
];

describe('a program that speaks JSON lines', () => {
  it.each<[string, string]>([
    ['one', 'say({ logits: positions.map(row) })'],
    ['one for each position', 'for (const p of positions) say({ logits: [row(p)] })'],
    ['some for none', 'say({ logits: [] }); say(""); say({ logits: positions.map(row) })'],
  ])('gives logits in lines: %s', async (_, body) => {
    const progress: number[] = [];
    const options = { positions: [2, 0], onProgress: (done: number) => progress.push(done) };
    const asked = (await askProcess(program(body), TOKENS, options)) as AskedLogits;
    expect(asked).toEqual({
      engine: process.execPath,
      tokens: TOKENS,
      positions: [0, 2],
      logits: { shape: [2, 3], data: Float64Array.of(0, 0.5, NaN, 2, 0.5, NaN) },
      notes: [],
    });
    expect(progress.at(-1)).toBe(2);
  });

  it('gives log-probabilities of some tokens, in any order', async () => {
    const body = `for (const p of positions.reverse())
      say({ top: [{ position: p, logprobs: { [tokens[p]]: -1 - p, 7: null } }] });`;
    const { scores } = (await askProcess(program(body), TOKENS)) as Asked;
    expect(scores).toEqual(
      TOKENS.map((token, position) => ({
        position,
        logprobs: new Map([
          [token, -1 - position],
          [7, NaN],
        ]),
      })),
    );
  });

  it('that goes on when it has answered has some seconds to end', async () => {
    const body = `say({ logits: positions.map(row) });
      setTimeout(() => say('x'.repeat(1e6)), 300);`; // more than a pipe takes that nobody reads
    const start = performance.now();
    expect(await askProcess(program(body), TOKENS)).toHaveProperty('logits');
    const milliseconds = performance.now() - start;
    expect(milliseconds).toBeGreaterThan(300);
    expect(milliseconds).toBeLessThan(4_000);
  });

  it.each<[string, string, string[]]>([
    [
      'ends before',
      'say({ logits: [row(0)] }); console.error("no memory"); process.exitCode = 3;',
      ['ended with code 3', 'for 1 of 3', 'last words: no memory'],
    ],
    ['says nothing', '', ['ended with code 0', '0 of 3', 'said nothing on stderr']],
    ['chats on stdout', 'say("loading model"); say({ logits: [] })', ['"loading model"', 'stderr']],
    ['writes NaN', 'say("{\\"logits\\": [[NaN]]}")', ['not JSON', 'null for NaN']],
    ['has an error', 'say({ error: "too long" })', ['says: too long']],
    ['says something else', 'say({ logit: [] })', ['{"logit":[]}', 'either logits or top']],
    ['gives too many rows', 'say({ logits: [1, 2, 3, 4].map(row) })', ['4 rows', '3 positions']],
    ['gives rows of two lengths', 'say({ logits: [[1, 2], [1], [1, 2]] })', ['1 logits in row 1']],
    ['gives no row', 'say({ logits: [[], [], []] })', ['3 rows of logits for 3']],
    ['gives texts', 'say({ logits: [["1"], ["2"], ["3"]] })', ['"1"', 'a number']],
    ['gives a number as a row', 'say({ logits: [1] })', ['a list of numbers']],
    [
      'gives both',
      'say({ logits: [row(0)] }); say({ top: [{ position: 1, logprobs: { 1: -1 } }] })',
      ['1 rows of logits and 1', 'one of one kind'],
    ],
    ['tells of no token', 'say({ top: [{ position: 0, logprobs: {} }] })', ['and logprobs']],
    [
      'answers of another place',
      'say({ top: [{ position: 9, logprobs: { 1: -1 } }] })',
      ['"position":9', 'an asked position'],
    ],
  ])('that %s is not believed', async (_, body, words) => {
    await expect(askProcess(program(body), TOKENS)).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', ...words),
    );
  });

  it('that is not there is said so', async () => {
    await expect(askProcess(['/no/such/program'], TOKENS)).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', '/no/such/program cannot be run', 'ENOENT'),
    );
    await expect(askProcess([], TOKENS)).rejects.toMatchObject(refusal('BAD_OPTION', 'name one'));
  });

  it('is ended when who asks cancels, and whom it has started holds nobody up', async () => {
    const body = `const { spawn } = require('node:child_process');
      const args = ['--eval', 'setTimeout(() => {}, 8000)'];
      spawn(process.execPath, args, { stdio: 'inherit' }).unref();
      say({ logits: [row(0)] });
      setInterval(() => {}, 1000);`;
    const controller = new AbortController();
    const reason = new Error('enough');
    const start = performance.now();
    const asking = askProcess(program(body), TOKENS, {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(asking).rejects.toBe(reason);
    expect(performance.now() - start).toBeLessThan(5_000);
    await expect(askProcess(program(body), TOKENS, { signal: controller.signal })).rejects.toBe(
      reason,
    );
  });
});
