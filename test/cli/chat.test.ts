import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.js';
import { loadModel } from '../../src/load/model.js';
import { complete, generate } from '../../src/text/generate.js';
import { CARD_STOP_STRINGS, formatPrompt, type Message } from '../../src/text/prompt.js';
import { goldenPath } from '../support/golden.js';
import { cli, ESCAPE, endlessModel, FakeIo } from './support.js';

const chat = ['chat', '--model', goldenPath('gqa'), '--max-new-tokens', '6'];
const replies = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 5));
}

/** The replies to `inputs`, each with the whole conversation before it. */
async function expectedReplies(inputs: readonly string[]): Promise<string[]> {
  await using loaded = await loadModel(goldenPath('gqa'));
  const messages: Message[] = [];
  for (const content of inputs) {
    messages.push({ role: 'user', content });
    let text = '';
    const options = { maxNewTokens: 6, stop: CARD_STOP_STRINGS };
    for await (const step of generate(
      loaded.model,
      loaded.tokenizer,
      formatPrompt(messages),
      options,
    ))
      text += step.text;
    messages.push({ role: 'assistant', content: text });
  }
  return messages.filter(({ role }) => role === 'assistant').map(({ content }) => content);
}

describe('chat from a pipe', () => {
  it('answers every line, with all that was said before', async () => {
    const expected = await expectedReplies(['Hi', 'And you?', 'Bye']);
    const json = await cli([...chat, '--json'], 'Hi\nAnd you?\n\nBye');
    expect(replies(json.stdout).map(reply => reply.text)).toEqual(expected);
    const plain = await cli(chat, 'Hi\nAnd you?\n\nBye');
    expect(plain).toEqual({
      code: 0,
      stdout: expected.map(line => line.replace(/\n?$/, '\n')).join(''),
      stderr: '',
    });
  });

  it('computes of a turn only what is new, until /reset', async () => {
    const { stdout } = await cli([...chat, '--json'], 'Hi\nAnd you?\n/reset\nAnd you?\n');
    const [first, second, third] = replies(stdout);
    expect(first.reused_tokens).toBe(0);
    expect(second.reused_tokens).toBeGreaterThanOrEqual(first.prompt_tokens - 1);
    expect(second.reused_tokens).toBeLessThan(second.prompt_tokens);
    expect(third.reused_tokens).toBe(0);
  });

  it('/reset forgets, /stats and /help tell stderr, /quit ends', async () => {
    const [first] = await expectedReplies(['Hi']);
    const { code, stdout, stderr } = await cli(
      [...chat, '--json'],
      '/stats\nHi\n/stats\n/reset\nHi\n/help\n/nonsense\n/quit\nHi\n',
    );
    expect(code).toBe(0);
    expect(replies(stdout).map(reply => reply.text)).toEqual([first, first]);
    expect(stderr).toContain('nothing was said yet');
    expect(stderr).toMatch(
      /of 32768 tokens in 2 messages; last reply: 0 of \d+ prompt tokens were there, the rest /,
    );
    expect(stderr).toMatch(/ the rest took .* s, then 6 tokens, [\d.]+ a second/);
    expect(stderr).toContain('/reset  forget');
    expect(stderr).toContain('there is no command /nonsense');
  });

  it.each(['/quit', '/exit', '/bye'])('%s ends it', async command => {
    const { code, stdout, stderr } = await cli(chat, `${command}\nHi\n`);
    expect([code, stdout, stderr]).toEqual([0, '', expect.not.stringContaining('no command')]);
  });

  it('goes on after a message that does not fit, as if it had not been said', async () => {
    const limited = [...chat, '--json'].map(arg =>
      arg === '--max-new-tokens' ? '--max-length' : arg === '6' ? '150' : arg,
    );
    const { code, stdout, stderr } = await cli(limited, `Hi\n${'long '.repeat(100)}\nHi\n`);
    expect(code).toBe(0);
    expect(JSON.parse(stderr).error).toEqual({
      code: 'CONTEXT_OVERFLOW',
      message: expect.stringContaining('150 is --max-length'),
    });
    const without = await cli(limited, 'Hi\nHi\n');
    expect(replies(stdout).map(reply => reply.tokens)).toEqual(
      replies(without.stdout).map(reply => reply.tokens),
    );
  });

  it('refuses an option at once, not at the first message', async () => {
    expect(await cli([...chat, '--top-k', '5'], '')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--top-k is 5'),
    });
  });
});

describe('chat on a terminal', () => {
  const prompts = (io: FakeIo) => io.stderr.text.split('> ').length - 1;
  const terminal = () => new FakeIo(['stdin', 'stdout', 'stderr'], { NO_COLOR: '1' });

  it('prompts on stderr, answers on stdout, and ends with Ctrl-D', async () => {
    const io = terminal();
    const code = run(chat, io);
    await until(() => prompts(io) === 1);
    io.stdin.write('Hi\r');
    await until(() => io.stdout.text.endsWith('\n'));
    io.stdin.write('\x04');
    expect(await code).toBe(0);
    expect(io.stdout.text).not.toContain('>');
  });

  it('takes a paste for one message, also where its first line looks like a command', async () => {
    const [expected] = await expectedReplies(['/etc\nis a path']);
    const io = terminal();
    const code = run([...chat, '--json'], io);
    await until(() => prompts(io) === 1);
    io.stdin.write(`${ESCAPE}[200~/etc\ris a path${ESCAPE}[201~\r`);
    await until(() => prompts(io) === 2);
    io.stdin.write('/stats\r/quit\r');
    expect(await code).toBe(0);
    expect(replies(io.stdout.text).map(reply => reply.text)).toEqual([expected]);
    expect(io.stderr.text).toContain('tokens in 2 messages');
  });

  it('Ctrl-C ends the reply, which stays; at the prompt it ends all, with 130', async () => {
    const model = await endlessModel();
    const io = terminal();
    const code = run(['chat', '--model', model.path, '--max-new-tokens', '20000'], io);
    await until(() => prompts(io) === 1);
    io.stdin.write('Hi\r');
    await until(() => io.stdout.text !== '');
    io.stdin.write('\x03');
    await until(() => io.stderr.text.includes('interrupted'));
    io.stdin.write('/reset\r');
    await until(() => io.stderr.text.includes('forgotten'));
    io.stdin.write('\x03');
    expect(await code).toBe(130);
    expect(io.interrupts.size).toBe(0);
    await model.remove();
  });
});

describe('chat that is interrupted', () => {
  it('keeps what the reply said', async () => {
    const model = await endlessModel();
    const io = new FakeIo();
    const code = run(['chat', '--model', model.path, '--max-new-tokens', '20000'], io);
    io.stdin.write('Hi\n');
    await until(() => io.stdout.text !== '');
    io.interrupt();
    await until(() => io.stdout.text.endsWith('\n'));
    const said = io.stdout.text.slice(0, -1);
    await using loaded = await loadModel(model.path);
    const messages = ['Hi', said, 'Hi'].map(
      (content, i) => ({ role: i === 1 ? 'assistant' : 'user', content }) as const,
    );
    const prompt = loaded.tokenizer.encode(formatPrompt(messages), { bos: true });
    const options = { maxNewTokens: 20 };
    const { text } = await complete(loaded.model, loaded.tokenizer, prompt, options);
    io.stdin.write('Hi\n');
    await until(() => io.stdout.text.length > said.length + 1 + text.length);
    expect(io.stdout.text.slice(said.length + 1)).toSatisfy((next: string) =>
      next.startsWith(text),
    );
    io.interrupt();
    io.interrupt();
    expect(await code).toBe(130);
    await model.remove();
  });
});
