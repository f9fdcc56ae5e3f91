/**
 * What a verb has of the world: streams, environment, Ctrl-C. Data goes to stdout, everything else
 * to stderr.
 *
 * Tests give their own; `main.ts` gives the process's.
 */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { colours } from '../../base/colours.js';
import { escapeControls } from '../../base/escape.js';

export type Input = Readable & { readonly isTTY?: boolean };
export type Output = Writable & {
  readonly isTTY?: boolean;
  /** How wide a terminal is, in characters. */
  readonly columns?: number;
};

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

/** What a verb throws that has told already that two things are not the same. */
export class Differs extends Error {
  override readonly name = 'Differs';
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
 * A line for the person at the terminal, not part of the data. Not with --json: there stderr has at
 * most the error, as JSON.
 */
export function note(io: Io, text: string): void {
  io.stderr.write(`${style(io.stderr, io).yellow('llama-32k:')} ${escapeControls(text)}\n`);
}

/**
 * What the files of a model say or hold besides, a line each; nothing with --json, but for
 * `inspect`, which has them in its data.
 */
export function showNotes(io: Io, json: boolean, notes: readonly string[]): void {
  if (!json) for (const text of notes) note(io, text);
}

/**
 * Whether `stream` gets colours: not unless it is a terminal, not if NO_COLOR (no-color.org) is
 * set, and not where TERM says that the terminal has none.
 */
export const inColour = (stream: Output, io: Io): boolean =>
  stream.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== 'dumb';

export const style = (stream: Output, io: Io) => colours(inColour(stream, io));
