/** What a process has between its start and its end: a scheduler, and what it knows of texts. */
import { DiskCache } from '../../../src/load/prefix-cache/disk-cache.js';
import type { Llama } from '../../../src/model/llama.js';
import type { GenerateTokenizer } from '../../../src/text/generate.js';
import { PrefixCache } from '../../../src/text/prefix-cache/prefix-cache.js';
import type { SchedulerOptions } from '../../../src/text/scheduler/options.js';
import { createScheduler, type Scheduler } from '../../../src/text/scheduler/scheduler.js';

export interface ProcessSettings extends Omit<SchedulerOptions, 'prefixCache'> {
  /** Of the prefix cache; undefined: there is none. */
  readonly maxPages?: number | undefined;
  /** Where it keeps pages beside memory, and how many bytes; undefined: nowhere. */
  readonly disk?: { readonly directory: string; readonly maxBytes: number } | undefined;
}

export class Process {
  readonly scheduler: Scheduler;
  readonly warnings: string[] = [];
  readonly #cache: PrefixCache | undefined;

  constructor(
    model: Llama,
    tokenizer: GenerateTokenizer,
    { maxPages, disk, ...options }: ProcessSettings,
  ) {
    const identity = { pages: model.engine.describePages() };
    const onWarning = (text: string) => this.warnings.push(text);
    const store = disk && new DiskCache({ ...disk, identity, model: 'model', onWarning });
    this.#cache = maxPages === undefined ? undefined : new PrefixCache(model, { maxPages, store });
    this.scheduler = createScheduler(model, tokenizer, { ...options, prefixCache: this.#cache });
  }

  /** Ends it as a server ends. Gives how many pages it had from the disk. */
  async end(): Promise<number> {
    await this.scheduler.drain();
    await this.#cache?.flush();
    const restored = this.#cache?.stats().store?.restoredPages ?? 0;
    this.#cache?.clear();
    return restored;
  }
}
