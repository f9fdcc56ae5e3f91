/**
 * A program that speaks JSON lines, in the place of a server. It is sent one line,
 *
 *     {"tokens": [1, 306, 4658], "positions": [0, 1, 2]}
 *
 * and answers with as many as it likes, all of one of two kinds:
 *
 *     {"logits": [[…], …]}                                     the next rows, as positions are
 *     {"top": [{"position": 0, "logprobs": {"306": -1.25}}]}   natural logarithms, by token id
 *
 * or with {"error": "…"}. It is through when it has answered for every position. null is NaN.
 * What it has to say besides goes to stderr.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onAbort } from '../../base/abort.js';
import { check } from '../../base/errors.js';
import type { Asked, AskedLogits } from './asked.js';
import { allPositions, orderedPositions } from './positions.js';
import { ProcessLines } from './process-lines.js';

/** How a program is asked. */
export interface ProcessOptions {
  /** Default: all of the text. */
  readonly positions?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told for how many positions it has answered. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** How long a program may take to end when it has answered, or is told to. */
const GRACE_MS = 5_000;

/** Of what it wrote to stderr, for a message. */
const CHARACTERS_SHOWN = 200;

/**
 * Starts `command`, without a shell, and asks it once.
 * @throws {LlamaError} ENDPOINT_FAILED if it cannot be started, or ends before it has answered; or
 * the signal's reason
 */
export async function askProcess(
  command: readonly string[],
  tokens: readonly number[],
  options: ProcessOptions = {},
): Promise<Asked | AskedLogits> {
  const [program, ...args] = command;
  check(program !== undefined, 'BAD_OPTION', () => 'there is no program to ask; name one');
  const { signal, onProgress } = options;
  const asked = options.positions ?? allPositions(tokens.length);
  const positions = orderedPositions(asked, tokens.length);
  signal?.throwIfAborted();
  const child = new Child(program, args);
  const forget = onAbort(signal, () => child.kill());
  try {
    child.send(JSON.stringify({ tokens, positions }));
    const lines = new ProcessLines(program, positions);
    for await (const line of child.lines) {
      lines.take(line);
      onProgress?.(lines.done, positions.length);
      if (lines.done === positions.length) break;
    }
    await child.leave();
    signal?.throwIfAborted();
    check(lines.done === positions.length, 'ENDPOINT_FAILED', () => {
      return (
        `${program} ${child.end} when it had answered for ${lines.done} of ${positions.length} ` +
        `positions; ${child.lastWords()}`
      );
    });
    return { engine: program, tokens, ...lines.result() };
  } finally {
    forget();
    await child.kill();
  }
}

/** A process that was started, and how it ends. */
class Child {
  readonly lines: AsyncIterable<string> & { close(): void };
  /** "ended with code 1"; empty while it runs. */
  end = '';
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #said = '';

  constructor(program: string, args: readonly string[]) {
    this.#process = spawn(program, args, { stdio: 'pipe' });
    this.#ended = new Promise(resolve => {
      this.#process.once('error', error => {
        this.end = `cannot be run: ${error.message},`;
        resolve();
      });
      this.#process.once('close', (code, signal) => {
        this.end = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
        resolve();
      });
    });
    const { stdin, stdout, stderr } = this.#process;
    stdin.on('error', () => {}); // whoever does not read the question does not answer it either
    stderr.setEncoding('utf8').on('data', part => {
      this.#said = (this.#said + part).slice(-CHARACTERS_SHOWN);
    });
    this.lines = createInterface({ input: stdout });
  }

  send(line: string): void {
    this.#process.stdin.end(`${line}\n`);
  }

  /** Waits until it has ended by itself, but not for long. */
  async leave(): Promise<void> {
    await this.#endedWithin(GRACE_MS);
  }

  /** Ends it, unless it has ended. */
  async kill(): Promise<void> {
    this.#process.kill();
    this.lines.close();
    // whom it has started may hold them open
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream.destroy();
    if (!(await this.#endedWithin(GRACE_MS))) this.#process.kill('SIGKILL');
    await this.#ended;
  }

  lastWords(): string {
    const said = this.#said.trim();
    return said === '' ? 'it said nothing on stderr' : `its last words: ${said}`;
  }

  #endedWithin(milliseconds: number): Promise<boolean> {
    return new Promise(resolve => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      void this.#ended.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
