/**
 * One line on stderr that says how far it is; only for a terminal, where it is written over and in
 * the end removed.
 */
import { showBytes } from '../../base/disk.js';
import type { Io } from './io.js';

/** More often than people read is only work. */
const INTERVAL_MS = 100;
const CLEAR_LINE = '\r\x1b[K';

export class Progress {
  readonly #io: Io;
  readonly #shown: boolean;
  #began = performance.now();
  #last = -Infinity;
  #onScreen = false;
  /** Bytes that were there when the download began. */
  #before: number | undefined;

  constructor(io: Io, json: boolean) {
    this.#io = io;
    this.#shown = io.stderr.isTTY === true && !json;
  }

  download(done: number, total: number): void {
    this.#before ??= done;
    const elapsed = performance.now() - this.#began;
    const came = done - this.#before;
    const speed = came === 0 ? '' : `, ${showBytes((1000 * came) / elapsed)} a second`;
    const left = timeLeft(elapsed, came, total - this.#before);
    this.#show(`downloaded ${showBytes(done)} of ${showBytes(total)}${speed}${left}`);
  }

  verify(done: number, total: number): void {
    this.#show(`comparing checksums ${Math.floor((100 * done) / total)} %`);
  }

  load(done: number, total: number): void {
    this.#show(`loading ${Math.floor((100 * done) / total)} %`);
    if (done === total) this.#began = performance.now();
  }

  prefill(done: number, total: number): void {
    this.#show(
      `prefill ${done}/${total} tokens${timeLeft(performance.now() - this.#began, done, total)}`,
    );
    if (done === total) this.#began = performance.now();
  }

  /** So many of the runs that a comparison takes for `what`. */
  runs(what: string, done: number, total: number): void {
    if (done === 1) this.#began = performance.now();
    this.#show(`${what} ${done}/${total}${timeLeft(performance.now() - this.#began, done, total)}`);
  }

  /** Bytes of the output. */
  write(done: number, total: number): void {
    const left = timeLeft(performance.now() - this.#began, done, total);
    this.#show(`writing ${Math.floor((100 * done) / total)} %${left}`);
  }

  /** `done` of at most `total` tokens. */
  decode(done: number, total: number): void {
    const seconds = (performance.now() - this.#began) / 1000;
    this.#show(`${done} of at most ${total} tokens, ${(done / seconds).toFixed(1)} a second`);
  }

  /** Removes the line: to be called before anything else is written, and at the end. */
  clear(): void {
    if (this.#onScreen) this.#io.stderr.write(CLEAR_LINE);
    this.#onScreen = false;
  }

  #show(text: string): void {
    const now = performance.now();
    if (!this.#shown || now - this.#last < INTERVAL_MS) return;
    this.#last = now;
    this.#onScreen = true;
    this.#io.stderr.write(CLEAR_LINE + text);
  }
}

function timeLeft(elapsedMs: number, done: number, total: number): string {
  if (done === 0) return '';
  const seconds = ((elapsedMs / 1000) * (total - done)) / done;
  return seconds < 5 ? '' : `, about ${Math.ceil(seconds)} s left`;
}
