/**
 * How long others wait for their tokens while somebody's long prompt is read: the times between two
 * tokens, each beside the time that a pass takes at that place of the prompt.
 */
import { quantile } from '../../src/cli/measure/together.js';
import { fitLine } from '../line.js';
import { ServedModel } from '../served.js';
import { madeUp } from './documents.js';
import { tokenTimes } from './stream.js';

const OTHERS = 3;
/** What each of the others has when the long prompt comes. */
const TOKENS_BEFORE = 16;

export async function measureCompany(model: readonly string[], tokens: number) {
  const served = await ServedModel.start([...model, '--lookup', 'off', '--no-prefix-cache']);
  const left = new AbortController();
  const others = Array.from({ length: OTHERS }, (_, i) => new Other(served.url, i, left.signal));
  await Promise.all(others.map(other => other.isWriting));
  const alone = others.flatMap(({ times }) => gapsOf(times));
  const begin = performance.now();
  let end = begin;
  for await (const time of tokenTimes(served.url, { prompt: madeUp(tokens, 9), tokens: 1 }))
    end = time;
  left.abort();
  await Promise.all(others.map(other => other.ended));
  await served.stop();
  const gaps = others.map(({ times }) => gapsOf(times.filter(t => t >= begin && t <= end)));
  const all = gaps.flat();
  return {
    ...{ others: OTHERS, readingMs: end - begin, gaps: all.length },
    ...{ p50BeforeMs: quantile(alone, 0.5), p50Ms: quantile(all, 0.5), p99Ms: quantile(all, 0.99) },
    p99OverPass: quantile(gaps.flatMap(overPass), 0.99),
  };
}

/**
 * Each gap as a part of a pass at its place: passes grow along a line, for attention looks at all
 * that was read before.
 */
function overPass(gaps: readonly number[]): number[] {
  const { start, slope } = fitLine(gaps.map((y, x) => ({ x, y })));
  return gaps.map((gap, i) => gap / (start + slope * i));
}

/** Somebody whose text is written all the while. */
class Other {
  readonly times: number[] = [];
  readonly isWriting: Promise<void>;
  readonly ended: Promise<void>;
  #begun = () => {};

  constructor(base: string, index: number, signal: AbortSignal) {
    this.isWriting = new Promise(resolve => {
      this.#begun = resolve;
    });
    this.ended = this.#write(base, index, signal);
  }

  async #write(base: string, index: number, signal: AbortSignal): Promise<void> {
    const asked = { prompt: madeUp(32, 100 + index), tokens: 8000, signal };
    try {
      for await (const time of tokenTimes(base, asked)) {
        this.times.push(time);
        if (this.times.length === TOKENS_BEFORE) this.#begun();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

const gapsOf = (times: readonly number[]): number[] =>
  times.slice(1).map((time, i) => time - times[i]);
