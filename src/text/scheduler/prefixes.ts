/**
 * The prefix cache of a scheduler: a text begins with what is known of it, and what it computes is
 * kept: whole pages while its prompt is read, and all at its end.
 *
 * Two texts with the same document at the same time: the second waits while the first one reads
 * what both have, and then goes on from there.
 */
import { PAGE_POSITIONS } from '../../model/sequence.js';
import type { CachedPositions } from '../token-sequence.js';
import type { Job } from './job.js';

/** What a scheduler needs of a prefix cache; `PrefixCache` is one. */
export interface KnownTexts {
  /** A sequence that holds the first `length` tokens, not all of them. */
  take(
    tokens: readonly number[],
    salt: string,
  ): Promise<{ readonly sequence: CachedPositions; readonly length: number }>;
  /** Keeps a share of what `sequence` holds, of the tokens that are given. */
  keep(tokens: readonly number[], sequence: CachedPositions, salt: string): void;
  /** Gives up so many pages, if there are as many that nobody uses; how many there were. */
  evict(pages: number): number;
}

export class Prefixes {
  readonly #known: KnownTexts | undefined;
  /** Those that were given what is known of them. */
  #asked = new WeakSet<Job>();

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
    this.#known !== undefined && takesKnown(job) && !this.#asked.has(job);

  /** Lets a text that is about to begin have what is known of it. */
  async give(job: Job): Promise<void> {
    this.#asked.add(job);
    const { sequence, length } = await this.#known!.take(job.generation.ids, job.salt);
    if (job.generation.isDone) sequence.dispose();
    else job.generation.takePrefix(sequence, length);
  }

  /** A text that gave its memory back may ask again. */
  forget(job: Job): void {
    this.#asked.delete(job);
  }

  /** The whole pages of a text that goes on. */
  keepPages(job: Job): void {
    this.#keep(job, tokens => tokens - (tokens % PAGE_POSITIONS));
  }

  /** All of a text that has ended. */
  keepAll(job: Job): void {
    this.#keep(job, tokens => tokens);
  }

  /** Gives memory back for so many positions, or as much as there is; whether there was any. */
  evict(positions: number): boolean {
    const pages = Math.ceil(positions / PAGE_POSITIONS) + 1;
    return this.#known !== undefined && this.#known.evict(pages) > 0;
  }

  #keep({ generation, salt }: Job, countOf: (tokens: number) => number): void {
    const held = generation.held;
    if (this.#known === undefined || held === undefined) return;
    const count = countOf(held.tokens.length);
    if (count > 0) this.#known.keep(held.tokens.slice(0, count), held.positions, salt);
  }
}

const takesKnown = ({ generation, reusesKnown }: Job): boolean =>
  reusesKnown && generation.takesPrefix;

/** Whether `other` is about to read a page more that `job` begins with, too. */
function isReadingFor(other: Job, job: Job): boolean {
  const held = other.generation.held;
  if (held === undefined || !other.generation.isReading || other.salt !== job.salt) return false;
  const common = commonLength(other.generation.ids, job.generation.ids);
  return Math.floor(common / PAGE_POSITIONS) > Math.floor(held.tokens.length / PAGE_POSITIONS);
}

/** Of the tokens that another text may have for `b`: all but its last. */
function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length - 1);
  let length = 0;
  while (length < most && a[length] === b[length]) length += 1;
  return length;
}
