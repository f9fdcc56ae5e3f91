/**
 * In which order texts get the rows of a pass: first those that are being decoded, in the order in
 * which they asked; then prompts, whose users take turns by the chunk. How many rows more a text
 * that is decoded may have for what it only may come to (`../lookup/`).
 */
import type { Job } from './job.js';

export class Turns {
  /** In which pass a chunk of each user's prompts was read last. */
  #served = new Map<string, number>();
  #passes = 0;

  /** `jobs` in the order in which they asked. */
  order(jobs: readonly Job[]): readonly Job[] {
    const decoding = jobs.filter(({ generation }) => !generation.isReading);
    const reading = jobs.filter(({ generation }) => generation.isReading);
    return [...decoding, ...this.#takeTurns(reading)];
  }

  /** Takes note of whose prompts were read in a pass. */
  noteRead(jobs: Iterable<Job>): void {
    this.#passes += 1;
    for (const { user } of jobs) this.#served.set(user, this.#passes);
  }

  /** The first of each user, then the second of each, and so on. */
  #takeTurns(jobs: readonly Job[]): readonly Job[] {
    const byUser = new Map<string, Job[]>();
    for (const job of jobs) byUser.set(job.user, [...(byUser.get(job.user) ?? []), job]);
    this.#forgetOthers(byUser);
    const served = (user: string) => this.#served.get(user) ?? 0;
    const users = [...byUser.keys()].sort((a, b) => served(a) - served(b));
    const most = Math.max(0, ...Array.from(byUser.values(), ({ length }) => length));
    const rounds = Array.from({ length: most }, (_, i) =>
      users.flatMap(user => byUser.get(user)!.slice(i, i + 1)),
    );
    return rounds.flat();
  }

  /** Users come and go; only those with a prompt now are remembered. */
  #forgetOthers(users: ReadonlyMap<string, unknown>): void {
    this.#served = new Map([...this.#served].filter(([user]) => users.has(user)));
  }
}

/** The part of the rows that are left for prompts which lookups may take from them. */
const LOOKUPS_SHARE = 1 / 4;

/** Rows for each of the texts that are decoded, beside one, of a pass of `maxRows`. */
export function proposedRows(jobs: readonly Job[], maxRows: number): number {
  const reading = jobs.filter(({ generation }) => generation.isReading).length;
  const decoding = jobs.length - reading;
  const left = Math.max(0, maxRows - decoding) * (reading > 0 ? LOOKUPS_SHARE : 1);
  return Math.floor(left / Math.max(1, decoding));
}
