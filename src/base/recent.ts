/** What was made for keys, so that it need not be made again: of those that were asked for last. */
export class Recent<Key, Value> {
  readonly #most: number;
  /** What was asked for longest ago is first. */
  readonly #values = new Map<Key, Value>();

  constructor(most: number) {
    this.#most = most;
  }

  /** What `make` gave for `key`, or gives now. */
  of(key: Key, make: () => Value): Value {
    const value = this.#values.has(key) ? this.#values.get(key)! : make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) this.#values.delete(this.#values.keys().next().value!);
    return value;
  }
}
