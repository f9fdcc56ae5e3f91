/** What is told about a dump: one sentence for each kind of thing, with the first names. */
import { firstOf } from '../../base/errors.js';

export class Notes {
  readonly #names = new Map<string, string[]>();

  add(kind: string, name: string): void {
    const names = this.#names.get(kind);
    if (names === undefined) this.#names.set(kind, [name]);
    else names.push(name);
  }

  sentences(): string[] {
    return [...this.#names].map(([kind, names]) => `${kind}: ${firstOf(names)}`);
  }
}
