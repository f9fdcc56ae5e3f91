/** `bench`, and with --concurrency what many texts at once come to. */
import { describe, expect, it } from 'vitest';
import { cli, json } from './support.js';

const SHORT = ['bench', '--threads', '1', '--prompt-tokens', '20', '--new-tokens', '6'];

describe('bench', () => {
  it('measures one text, and says nothing of others', async () => {
    const figures = await json(SHORT);
    expect(figures).toMatchObject({ kernels: 'wasm-bf16', prompt_tokens: 20, new_tokens: 6 });
    expect(figures.decode_tokens_per_second).toBeGreaterThan(0);
    expect(figures).not.toHaveProperty('together');
  });

  it('--concurrency measures as many texts at once, too', async () => {
    const { together } = await json([...SHORT, '--concurrency', '3']);
    expect(together.concurrency).toBe(3);
    expect(together.decode_tokens_per_second).toBeGreaterThan(0);
    expect(together.p50_seconds).toBeGreaterThan(0);
    expect(together.p99_seconds).toBeGreaterThanOrEqual(together.p50_seconds);
  });

  it('tells it in words', async () => {
    const { code, stdout } = await cli([...SHORT, '--concurrency', '2']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^loaded in .*\nprefill .*\ndecode .*\npeak .*\n2 at once: [\d.]+ tokens\/s in all;/,
    );
  });

  it.each(['0', '1025'])('--concurrency %s is refused', async count => {
    const { code, stderr } = await cli([...SHORT, '--concurrency', count]);
    expect(code).toBe(2);
    expect(stderr).toContain(`--concurrency is ${count}; it must be an integer from 1 to 1024`);
  });
});
