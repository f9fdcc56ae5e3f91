/**
 * Texts that wait until they are taken up. The next is that of the user of whom the fewest are
 * running; among such users, and of one user's texts, the one that came first.
 */
import type { Job } from './job.js';

export class Queue {
  /** In the order in which they came, those that were put back first. */
  #jobs: Job[] = [];
  readonly #since = new Map<Job, number>();

  get length(): number {
    return this.#jobs.length;
  }

  push(job: Job): void {
    this.#jobs.push(job);
    this.#since.set(job, performance.now());
  }

  /** For a text that had its turn already, and goes before those that had none. */
  putBack(job: Job): void {
    this.#jobs.unshift(job);
    this.#since.set(job, performance.now());
  }

  /** Whether it was there. */
  remove(job: Job): boolean {
    this.#jobs = this.#jobs.filter(other => other !== job);
    return this.#since.delete(job);
  }

  /** The one whose turn it is, beside those that are running; there must be one. */
  take(running: Iterable<Job>): Job {
    const counts = new Map<string, number>();
    for (const { user } of running) counts.set(user, (counts.get(user) ?? 0) + 1);
    const countOf = ({ user }: Job) => counts.get(user) ?? 0;
    const next = this.#jobs.reduce((best, job) => (countOf(job) < countOf(best) ? job : best));
    next.generation.noteWaiting((performance.now() - this.#since.get(next)!) / 1000);
    this.remove(next);
    return next;
  }
}
