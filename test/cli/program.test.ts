/**
 * The program as a process: what `run` in a test cannot show. Uses dist, which `npm test` builds.
 */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../support/golden.js';
import { demo, ESCAPE, endlessModel, finished, json, program } from './support.js';

const model = ['--model', goldenPath('gqa')];
const endlessly = await endlessModel();
const endless = [
  'generate',
  '--prompt',
  'Hi',
  '--model',
  endlessly.path,
  '--max-new-tokens',
  '30000',
];
afterAll(() => endlessly.remove());
const firstByte = (child: ReturnType<typeof program>) =>
  new Promise(resolve => child.stdout.once('data', resolve));

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the program', () => {
  it('runs, and its exit code is that of the verb', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await finished(program('--version'))).toEqual({
      code: 0,
      signal: null,
      stdout: `${version}\n`,
      stderr: '',
    });
    expect((await finished(program('nonsense'))).code).toBe(2);
    expect((await finished(program('inspect', '--model', 'no/such/model'))).code).toBe(3);
  });

  it('writes neither colours nor progress into pipes', async () => {
    const { text: said } = await json(['generate', '--prompt', 'Hi', '--max-new-tokens', '8']);
    const { code, stdout, stderr } = await finished(
      program('generate', '--prompt', 'Hi', '--max-new-tokens', '8'),
    );
    expect([code, stderr.split('\n').length]).toEqual([0, 2]);
    expect(stderr).not.toContain(ESCAPE);
    expect(stderr).not.toContain('\r');
    expect(stdout).toBe(said);
  });

  it('reads stdin', async () => {
    const child = program('tokenize', '-', '--json', ...model);
    child.stdin.end('Hi you');
    expect(JSON.parse((await finished(child)).stdout).ids).toHaveLength(6);
  });

  it.skipIf(process.platform === 'win32')('ends with 130 on Ctrl-C, and is gone', async () => {
    const child = program(...endless);
    const result = finished(child);
    await firstByte(child);
    child.kill('SIGINT');
    expect(await result).toMatchObject({
      code: 130,
      signal: null,
      stderr: expect.stringContaining('interrupted'),
    });
    expect(isRunning(child.pid!)).toBe(false);
  });

  it.skipIf(process.platform === 'win32')(
    'can be interrupted while it waits for stdin',
    async () => {
      const child = program('generate', '--prompt', '-', ...model);
      const result = finished(child);
      await new Promise(resolve => setTimeout(resolve, 1000));
      child.kill('SIGINT');
      expect((await result).signal).toBe('SIGINT'); // 130 to a shell
    },
  );

  it('ends quietly when nobody reads its output any more', async () => {
    const child = program(...endless);
    const stderr: Buffer[] = [];
    child.stderr.on('data', chunk => stderr.push(chunk));
    await firstByte(child);
    child.stdout.destroy();
    const code = await new Promise(resolve => child.on('exit', resolve));
    expect(code).toBe(0);
    expect(Buffer.concat(stderr).toString()).toMatch(/^llama-32k: texts end with .*\n$/); // a note
  });

  it('prints all of its output though nobody reads what it says on stderr', async () => {
    // no --model, which stderr is told
    const args = ['generate', '--prompt', 'Hi', '--max-new-tokens', '8'];
    const child = program(...args);
    child.stderr.destroy();
    const [code, stdout] = await Promise.all([
      new Promise(resolve => child.on('exit', resolve)),
      text(child.stdout),
    ]);
    expect([code, stdout]).toEqual([0, (await json(args)).text]);
  });

  it('prints more than a pipe holds, complete', async () => {
    const tokens = Array.from({ length: 300 }, (_, i) => i % 331).join();
    const { code, stdout } = await finished(
      program('logits', ...model, '--tokens', tokens, '--json'),
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout).logits).toHaveLength(300);
    expect(stdout.length).toBeGreaterThan(2 ** 20);
  });
});

describe('npm run demo', () => {
  // The shortest of its texts, for time; test/tiny-32k.test.ts has the reply to the longest.
  it('finds the fact with the factor, not without; numbers are transformers’', async () => {
    const { code, stdout, stderr } = await demo('--seconds', '1');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /would read 29,413 tokens twice in about\n {2}\d+ s; here is a shorter text\./,
    );
    expect(stdout).toMatch(
      /To read the next text twice will take about \d+ s\.\n\n {2}2,976 tokens/,
    );
    const verdicts = Array.from(
      stdout.matchAll(/^ {2}reading [\d.]+ s\n {2}→ (.*)\n {4}(right|wrong)/gm),
    );
    expect(verdicts.map(([, , verdict]) => verdict)).toEqual(['right', 'right', 'wrong']);
    expect(verdicts[1][1]).toMatch(/^It says that /);
    const errors = stdout.matchAll(
      /^(f64|f32|bf16|f16|f64, .*?) {2,}(f64|f32|bf16|f16) +(\S+) +(\S+)$/gm,
    );
    const rows = Array.from(
      errors,
      ([, ours, , gqa, mha]) => [ours, Math.max(Number(gqa), Number(mha)), Number(gqa)] as const,
    );
    expect(rows.map(([ours]) => ours.slice(0, 20))).toEqual(
      ['f64', 'f32', 'bf16', 'f16', 'f64, positions not in', 'f64, interpolated th'].map(ours =>
        ours.slice(0, 20),
      ),
    );
    const limits = [1e-12, 1e-5, 0, 0];
    limits.forEach((limit, i) => {
      expect(rows[i][1], rows[i][0]).toBeLessThanOrEqual(limit);
    });
    expect(rows[4][2]).toBeGreaterThan(1);
    expect(rows[5][2]).toBeGreaterThan(1);
  }, 600_000);
});
