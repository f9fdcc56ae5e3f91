/** What several senders put in, and one reader takes out, in the order in which it came. */
export class Mailbox<T> {
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;

  put(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** The next one; undefined if there is none after `seconds`. */
  async take(seconds: number): Promise<T | undefined> {
    if (this.#items.length === 0) await this.#news(seconds);
    return this.#items.shift();
  }

  #news(seconds: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
