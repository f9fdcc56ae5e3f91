/**
 * What a verb has of the world: streams, environment, Ctrl-C. Data goes to stdout, everything else
 * to stderr.
 *
 * Tests give their own; `main.ts` gives the process's.
 */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { LlamaError } from '../../base/errors.js';

export type Input = Readable & { readonly isTTY?: boolean };
export type Output = Writable & { readonly isTTY?: boolean };

export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Calls `listener` at every Ctrl-C or SIGTERM, until the function returned is called. Nobody
   * listening, they end the process.
   */
  onInterrupt(listener: () => void): () => void;
}

export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Aborted, with `Interrupted`, by the first Ctrl-C; the second one then ends the process at once.
 * To be called when something begins that heeds the signal, not before: until then Ctrl-C ends the
 * process, as it should.
 */
export function abortOnInterrupt(io: Io): AbortSignal {
  const controller = new AbortController();
  const off = io.onInterrupt(() => {
    off();
    controller.abort(new Interrupted('interrupted'));
  });
  return controller.signal;
}

/** Writes, and waits if the reader is slower than we are: output may be larger than memory. */
export async function write(stream: Output, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

export const writeJson = (io: Io, value: unknown): Promise<void> =>
  write(io.stdout, `${JSON.stringify(value)}\n`);

/** All of stdin, as it is, the newline at its end included. Throws BAD_INPUT if it is not UTF-8. */
export async function readStdin(io: Io): Promise<string> {
  const bytes = await buffer(io.stdin);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new LlamaError(
      'BAD_INPUT',
      'what came on stdin is not UTF-8; convert it first, with iconv for instance',
      {
        cause: error,
      },
    );
  }
}

/**
 * A line for the person at the terminal, not part of the data. Not with --json: there stderr has at
 * most the error, as JSON.
 */
export function note(io: Io, text: string): void {
  io.stderr.write(`${style(io.stderr, io).yellow('llama-32k:')} ${text}\n`);
}

/**
 * Colours for `stream`: none unless it is a terminal, and none if NO_COLOR (no-color.org) is set.
 */
export function style(stream: Output, io: Io) {
  const inColour = stream.isTTY === true && !io.env.NO_COLOR;
  const paint = (code: number) => (text: string) =>
    inColour ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { bold: paint(1), red: paint(31), yellow: paint(33), cyan: paint(36) };
}

/**
 * `text` for `stream`: as it is, but on a terminal control characters are shown, not obeyed. A
 * model may write any byte, also those that clear the screen or retitle the window.
 */
export function shownOn(stream: Output, text: string): string {
  if (!stream.isTTY) return text;
  return text.replace(/(?![\n\t])\p{Cc}/gu, control => {
    const code = control.charCodeAt(0);
    // U+2400 … are pictures of U+0000 …
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
  });
}
