/**
 * A bar that grows to the right and is never written over, so that it is one on a terminal and in a
 * file.
 */
import type { Output } from './io.js';

const CELLS = 40;

export class ProgressBar {
  readonly #stream: Output;
  #cells = 0;

  constructor(stream: Output, title: string) {
    this.#stream = stream;
    stream.write(title);
  }

  /** `part` of all is done. */
  show(part: number): void {
    const cells = Math.floor(CELLS * part);
    if (cells > this.#cells) this.#stream.write('█'.repeat(cells - this.#cells));
    this.#cells = Math.max(this.#cells, cells);
  }

  end(text: string): void {
    this.show(1);
    this.#stream.write(` ${text}\n`);
  }
}
