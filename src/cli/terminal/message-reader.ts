/**
 * The messages of a conversation: from a pipe every line is one; on a terminal what is typed up to
 * Enter, or pasted before it, with its newlines.
 *
 * A paste is told from typing by the marks that terminals put around it where they are asked to
 * (bracketed paste, xterm's ctlseqs), which Node's readline reads as the keys paste-start and
 * paste-end. It is sent by the next Enter, so that more can be written behind it. The few terminals
 * that know no such marks send every line of it by itself, as if it were typed.
 */
import { on } from 'node:events';
import { createInterface, type Interface, type Key } from 'node:readline';
import { showBytes } from '../../base/disk.js';
import { LlamaError } from '../../base/errors.js';
import { LONGEST_INPUT } from './input.js';
import { type Io, style } from './io.js';

const ASK_FOR_MARKS = '\x1b[?2004h';
const NO_MARKS = '\x1b[?2004l';

/** While messages wait so many for their turn, no more is read. */
const WAITING = { highWaterMark: 1024, lowWaterMark: 1 };

export class MessageReader implements AsyncIterable<string> {
  /** Whether a person writes, and sees the prompt. */
  readonly isTerminal: boolean;
  readonly #io: Io;
  readonly #lines: Interface;
  readonly #messages: AsyncIterable<string[]>;
  /** The lines so far of a message that is not sent yet. */
  #parts: string[] = [];
  #isPasting = false;
  /** In bytes, that of the message not sent yet; less by one chunk of input at most. */
  #length = 0;
  #isClosed = false;

  /** @param interrupt called at Ctrl-C: a terminal that readline reads from sends no signal */
  constructor(io: Io, interrupt: () => void) {
    this.#io = io;
    this.isTerminal = io.stdin.isTTY === true && io.stderr.isTTY === true;
    io.stdin.on('data', this.#measure); // before readline, which sets the length back
    this.#lines = createInterface({
      input: io.stdin,
      output: io.stderr,
      terminal: this.isTerminal,
    });
    this.#lines.on('SIGINT', interrupt);
    this.#lines.on('line', line => this.#push(line));
    this.#lines.on('close', () => this.#end());
    this.#messages = on(this.#lines, 'message', { close: ['close'], ...WAITING });
    if (!this.isTerminal) return;
    io.stdin.on('keypress', this.#heedMarks);
    io.stderr.write(ASK_FOR_MARKS);
    // The shell that had the terminal in between has taken it back.
    this.#lines.on('SIGCONT', () => io.stderr.write(ASK_FOR_MARKS));
  }

  /** Until the input ends. Throws BAD_INPUT for a message that is longer than 64 MiB. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for await (const [message] of this.#messages) yield message;
  }

  /** Shows a person that the next message can be written. */
  prompt(): void {
    if (this.isTerminal && !this.#isClosed) this.#showPrompt();
  }

  /** Ends the messages, and leaves the terminal as it was. */
  close(): void {
    this.#lines.close();
  }

  #showPrompt(): void {
    const prompt = this.#parts.length === 0 ? '> ' : '… ';
    this.#lines.setPrompt(style(this.#io.stderr, this.#io).cyan(prompt));
    this.#lines.prompt(true);
  }

  #push(line: string): void {
    this.#parts.push(line);
    if (this.#isPasting) this.#showPrompt();
    else this.#send();
  }

  #send(): void {
    const message = this.#parts.join('\n');
    this.#parts = [];
    this.#length = 0;
    this.#lines.emit('message', message);
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#io.stdin.off('data', this.#measure);
    this.#io.stdin.off('keypress', this.#heedMarks);
    if (this.isTerminal) this.#io.stderr.write(NO_MARKS);
    if (this.#parts.length > 0) this.#send();
  }

  readonly #heedMarks = (_text: string | undefined, { name }: Key): void => {
    if (name === 'paste-start') this.#isPasting = true;
    if (name === 'paste-end') this.#isPasting = false;
  };

  readonly #measure = (chunk: Uint8Array): void => {
    const isTooLong = this.#length > LONGEST_INPUT;
    this.#length += chunk.length;
    if (!isTooLong) return;
    const message = `a message is longer than ${showBytes(LONGEST_INPUT)}, the most that is read`;
    this.#parts = [];
    this.#lines.emit('error', new LlamaError('BAD_INPUT', `${message}; give it in parts`));
    this.close();
  };
}
