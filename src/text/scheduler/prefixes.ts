/**
 * The prefix cache of a scheduler: a text begins with what is known of it; what it computes is
 * shared page by page while its prompt is read. What outlives memory has it at its end, and now and
 * then before: there every time costs a file.
 *
 * Two texts with the same document at the same time: the second waits while the first one reads
 * what both have, and then goes on from there.
 */
import { commonLength } from '../../base/common-length.js';
import { PAGE_POSITIONS, wholePages } from '../../model/sequence.js';
import { TOKENS_BETWEEN_KEEPS } from '../prefix-cache/page-store.js';
import type { CachedPositions } from '../token-sequence.js';
import type { Job } from './job.js';

/** What a scheduler needs of a prefix cache; `PrefixCache` is one. */
export interface KnownTexts {
  /** A sequence that holds the first `length` tokens, not all of them. */
  take(
    tokens: readonly number[],
    salt: string,
  ): Promise<{ readonly sequence: CachedPositions; readonly length: number }>;
  /** Lets others have a share of what `sequence` holds, of the tokens that are given. */
  share(tokens: readonly number[], sequence: CachedPositions, salt: string): void;
  /** The same, and keeps it where it outlives memory, if there is such a place. */
  keep(tokens: readonly number[], sequence: CachedPositions, salt: string): void;
  /** Gives up so many pages, if there are as many that nobody uses; how many there were. */
  evict(pages: number): number;
  /** Waits for what is being kept, and holds memory meanwhile; gives whether anything was. */
  flush(): Promise<boolean>;
}

export class Prefixes {
  readonly #known: KnownTexts | undefined;
  /** Of those that were given what is known of them: how many of their tokens are kept. */
  readonly #kept = new WeakMap<Job, number>();

  constructor(known: KnownTexts | undefined) {
    this.#known = known;
  }

  /** `jobs` without those for which another one, taken up before, is reading. */
  readyOf(jobs: readonly Job[], running: Iterable<Job>): readonly Job[] {
    if (this.#known === undefined) return jobs;
    const order = [...running].filter(job => jobs.includes(job));
    return jobs.filter(job => {
      if (!takesKnown(job)) return true;
      const earlier = order.slice(0, order.indexOf(job));
      return !earlier.some(other => isReadingFor(other, job));
    });
  }

  /** Whether something may be known of a text that is about to begin. */
  hasQuestion = (job: Job): boolean =>
    this.#known !== undefined && takesKnown(job) && !this.#kept.has(job);

  /** Lets a text that is about to begin have what is known of it. */
  async give(job: Job): Promise<void> {
    this.#kept.set(job, 0);
    const { sequence, length } = await this.#known!.take(job.generation.ids, job.salt);
    this.#kept.set(job, length);
    if (job.generation.isDone) sequence.dispose();
    else job.generation.takePrefix(sequence, length);
  }

  /** A text that gave its memory back may ask again. */
  forget(job: Job): void {
    this.#kept.delete(job);
  }

  /** The whole pages of a text that goes on: others have them at once. */
  sharePages(job: Job): void {
    const held = job.generation.held;
    const count = PAGE_POSITIONS * wholePages(held?.tokens.length ?? 0);
    if (this.#known === undefined || held === undefined || count === 0) return;
    const isDue = count - (this.#kept.get(job) ?? 0) >= TOKENS_BETWEEN_KEEPS;
    if (isDue) this.#kept.set(job, count);
    const tokens = held.tokens.slice(0, count);
    if (isDue) this.#known.keep(tokens, held.positions, job.salt);
    else this.#known.share(tokens, held.positions, job.salt);
  }

  /** All of a text that has ended. */
  keepAll({ generation: { held }, salt }: Job): void {
    if (held === undefined || held.tokens.length === 0) return;
    this.#known?.keep(held.tokens, held.positions, salt);
  }

  /** Gives memory back for so many positions, or as much as there is; whether there was any. */
  evict(positions: number): boolean {
    const pages = Math.ceil(positions / PAGE_POSITIONS) + 1;
    return this.#known !== undefined && this.#known.evict(pages) > 0;
  }

  /** Waits for memory that is held until it is on a disk; whether there was any. */
  async flush(): Promise<boolean> {
    return (await this.#known?.flush()) ?? false;
  }
}

const takesKnown = ({ generation, reusesKnown }: Job): boolean =>
  reusesKnown && generation.takesPrefix;

/** Whether `other` is about to read a page more that `job` begins with, too. */
function isReadingFor(other: Job, job: Job): boolean {
  const held = other.generation.held;
  if (held === undefined || !other.generation.isReading || other.salt !== job.salt) return false;
  const { ids } = job.generation;
  const common = Math.min(commonLength(other.generation.ids, ids), ids.length - 1);
  return wholePages(common) > wholePages(held.tokens.length);
}
