import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageReader } from '../../src/cli/terminal/message-reader.js';
import { ESCAPE, FakeIo } from './support.js';

const ASK_FOR_MARKS = `${ESCAPE}[?2004h`;
const NO_MARKS = `${ESCAPE}[?2004l`;
const pasted = (text: string) => `${ESCAPE}[200~${text}${ESCAPE}[201~`;
const terminal = () => new FakeIo(['stdin', 'stdout', 'stderr'], { NO_COLOR: '1' });

/** What is read of `chunks`, which are all there is. */
async function messagesOf(io: FakeIo, ...chunks: readonly (string | Buffer)[]): Promise<string[]> {
  const reader = new MessageReader(io, () => reader.close());
  for (const chunk of chunks) io.stdin.write(chunk);
  io.stdin.end();
  const messages = [];
  for await (const message of reader) messages.push(message);
  return messages;
}

describe('on a terminal', () => {
  it.each([
    ['typed lines are messages', 'a\rb\r', ['a', 'b']],
    ['a paste is one, sent by Enter', `${pasted('a\rb\r\rc')}\r`, ['a\nb\n\nc']],
    ['and with its last newline', `${pasted('a\rb\r')}\r`, ['a\nb\n']],
    ['newlines are those of any system', `${pasted('a\nb\r\nc')}\r`, ['a\nb\nc']],
    [
      'with what is typed around it',
      `Sum up: ${pasted('a\rb')}, please\rc\r`,
      ['Sum up: a\nb, please', 'c'],
    ],
    ['two pastes before Enter', `${pasted('a\rb')} ${pasted('c\rd')}\r`, ['a\nb c\nd']],
    ['tabs stay', `${pasted('a\tb\r\tc')}\r`, ['a\tb\n\tc']],
    ['what is not sent at the end is not lost', pasted('a\rb\r'), ['a\nb']],
  ])('%s', async (_, input, messages) => {
    expect(await messagesOf(terminal(), input)).toEqual(messages);
  });

  it('in whatever chunks it arrives', async () => {
    const input = Buffer.from(`ä ${pasted('b\r\rc ▁ d')}\re\r`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(input.length), { maxLength: 6 }), async places => {
        const cuts = [0, ...places.sort((a, b) => a - b), input.length];
        const chunks = cuts.slice(1).map((end, i) => input.subarray(cuts[i], end));
        expect(await messagesOf(terminal(), ...chunks)).toEqual(['ä b\n\nc ▁ d', 'e']);
      }),
      { numRuns: 50 },
    );
  });

  it('asks the terminal for marks, and takes that back: at the end, and at Ctrl-C', async () => {
    for (const end of ['', '\x04', '\x03']) {
      const io = terminal();
      await messagesOf(io, `a\r${end}`);
      const [before, after] = [ASK_FOR_MARKS, NO_MARKS].map(each => io.stderr.text.indexOf(each));
      expect(before).toBe(0);
      expect(after).toBeGreaterThan(before);
      expect(io.stderr.text.lastIndexOf(ASK_FOR_MARKS)).toBe(before);
    }
  });
});

describe('from a pipe', () => {
  it('every line is a message, the last one also without a newline', async () => {
    const io = new FakeIo();
    expect(await messagesOf(io, 'a\nb', '\r\n\nc')).toEqual(['a', 'b', '', 'c']);
    expect(io.stderr.text).toBe('');
  });

  it('refuses a message that does not end, at 64 MiB, 67.1 MB, after the others', async () => {
    const io = new FakeIo();
    const reader = new MessageReader(io, () => {});
    const chunk = Buffer.alloc(2 ** 20, 'a');
    const read: number[] = [];
    const reading = (async () => {
      for await (const { length } of reader) read.push(length);
    })();
    for (const longest of ['\n', '\n', '']) {
      for (let i = 0; i < 64; i++) io.stdin.write(chunk);
      io.stdin.write(longest);
    }
    for (let i = 0; i < 2; i++) io.stdin.write(chunk);
    await expect(reading).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: 'a message is longer than 67.1 MB, the most that is read; give it in parts',
    });
    expect(read).toEqual([2 ** 26, 2 ** 26]);
    expect(io.stdin.isPaused()).toBe(true);
  });
});
