/**
 * What a verb has of the world: streams, environment, Ctrl-C. Data goes to stdout, everything else
 * to stderr.
 *
 * Tests give their own; `main.ts` gives the process's.
 */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { showBytes } from '../../base/disk.js';
import { check, LlamaError } from '../../base/errors.js';

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
  write(io.stdout, `${toJson(value)}\n`);

/** JSON without any character that a terminal obeys: the same value, DEL and C1 as escapes. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\x7f-\x9f]/g,
    control => `\\u00${control.charCodeAt(0).toString(16)}`,
  );

/**
 * In bytes. A context of 32,768 tokens has room for half a megabyte, as Llama's longest piece has
 * 16 characters; a list of ids as long has 10 million.
 */
export const LONGEST_INPUT = 2 ** 26;

/**
 * All of stdin, as it is, the newline at its end included. Throws BAD_INPUT if it is not UTF-8, or
 * as soon as it is longer than 64 MiB: it may never end.
 */
export const readStdin = (io: Io): Promise<string> => readText(io.stdin, 'stdin');

/** The same of any stream, which is called `name` in messages. */
export async function readText(stream: Readable, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    check(bytes <= LONGEST_INPUT, 'BAD_INPUT', () => {
      return (
        `what comes from ${name} is longer than ${showBytes(LONGEST_INPUT)}, the most that is ` +
        'read; give it in parts'
      );
    });
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(Buffer.concat(chunks));
  } catch (error) {
    const next = 'convert it first, with iconv for instance';
    throw new LlamaError('BAD_INPUT', `what comes from ${name} is not UTF-8; ${next}`, {
      cause: error,
    });
  }
}

/**
 * A line for the person at the terminal, not part of the data. Not with --json: there stderr has at
 * most the error, as JSON.
 */
export function note(io: Io, text: string): void {
  io.stderr.write(`${style(io.stderr, io).yellow('llama-32k:')} ${visible(text)}\n`);
}

/**
 * What the files of a model say or hold besides, a line each; nothing with --json, but for
 * `inspect`, which has them in its data. Names of tensors may have any character, which
 * is shown, not obeyed.
 */
export function showNotes(io: Io, json: boolean, notes: readonly string[]): void {
  if (!json) for (const text of notes) note(io, shownOn(io.stderr, text));
}

/**
 * Colours for `stream`: none unless it is a terminal, none if NO_COLOR (no-color.org) is set, and
 * none where TERM says that the terminal has none.
 */
export function style(stream: Output, io: Io) {
  const inColour = stream.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== 'dumb';
  const paint = (code: number) => (text: string) =>
    inColour ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { bold: paint(1), red: paint(31), yellow: paint(33), cyan: paint(36) };
}

/**
 * `text` for `stream`: as it is, but on a terminal control characters are shown, not obeyed, but
 * for newlines and tabs. A model may write any byte, also those that clear the screen or retitle
 * the window; so may who named a tensor or a file.
 */
export const shownOn = (stream: Output, text: string): string =>
  stream.isTTY ? pictured(text, /(?![\n\t])\p{Cc}/gu) : text;

/**
 * `text` on one line, for messages, with control characters shown: what reads them may be a
 * terminal later.
 */
export const visible = (text: string): string => pictured(text, /\p{Cc}/gu);

function pictured(text: string, controls: RegExp): string {
  return text.replace(controls, control => {
    const code = control.charCodeAt(0);
    // U+2400 … are pictures of U+0000 …
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
  });
}
