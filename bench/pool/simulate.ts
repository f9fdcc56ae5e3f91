/**
 * A forward pass on any number of threads, from what each is asked to do and what things cost:
 * what a clock would show, and who waited for what. Nothing is random: the same in, the same out.
 */
import type { Step } from './record.js';
import type { Work } from './work.js';

/** Microseconds; the machine, as far as threads notice it. */
export interface Machine {
  /** Of a call, alone on the machine. */
  time(work: Work): number;
  /** JavaScript around each call. */
  readonly call: number;
  /** Until a word that one thread has written is another's: the cost of one atomic operation. */
  readonly handover: number;
  /** For so long a thread at a barrier looks for itself. */
  readonly spin: number;
  /** Until one that went to sleep runs again. */
  readonly wake: number;
  /** Bytes per microsecond that all threads together read from memory. */
  readonly bandwidth: number;
}

/** Where the time of all threads went; parts of the whole, which sum to 1. */
export interface Parts {
  /** In kernels, as if each thread had the memory for itself. */
  readonly kernels: number;
  /** Longer in them, because others read memory too. */
  readonly memory: number;
  /** In JavaScript, atomic operations and barriers that everybody had reached. */
  readonly engine: number;
  /** Waiting for a piece that somebody else had not finished. */
  readonly pieces: number;
  /** Waiting for somebody's share of what is not dealt out. */
  readonly shares: number;
}

export interface Simulated {
  readonly microseconds: number;
  readonly parts: Parts;
}

export function simulate(steps: readonly (readonly Step[])[], machine: Machine): Simulated {
  const pool = new SimulatedPool(steps.length, machine);
  steps[0].forEach(({ next }, i) => {
    steps.forEach((own, thread) => {
      for (const work of own[i].own) pool.work(thread, work, 1);
    });
    if (Array.isArray(next)) pool.deal(next);
    else pool.meet();
  });
  return pool.result();
}

class SimulatedPool {
  readonly #machine: Machine;
  /** When each thread is free. */
  readonly #clocks: number[];
  readonly #spent = { kernels: 0, memory: 0, engine: 0, pieces: 0, shares: 0 };
  /** Whether pieces were dealt out since the last barrier. */
  #dealt = false;

  constructor(threads: number, machine: Machine) {
    this.#clocks = Array.from({ length: threads }, () => 0);
    this.#machine = machine;
  }

  /** One call, while `readers` threads read weights. */
  work(thread: number, work: Work, readers: number): void {
    const alone = this.#machine.time(work);
    const time = Math.max(alone, (work.bytes * readers) / this.#machine.bandwidth);
    this.#spend(thread, 'kernels', alone);
    this.#spend(thread, 'memory', time - alone);
    this.#spend(thread, 'engine', this.#machine.call);
  }

  /** Whoever is free first has the next piece; everybody asks once more, in vain. */
  deal(pieces: readonly Work[]): void {
    const readers = Math.min(this.#clocks.length, pieces.length);
    let free = 0; // the counter, which one thread at a time takes
    const ask = (thread: number) => {
      const start = Math.max(this.#clocks[thread], free);
      free = start + this.#contended;
      this.#spend(thread, 'engine', free - this.#clocks[thread]);
    };
    for (const piece of pieces) {
      const thread = this.#clocks.indexOf(Math.min(...this.#clocks));
      ask(thread);
      this.work(thread, piece, readers);
    }
    for (const thread of this.#inOrder()) ask(thread);
    this.#dealt = true;
  }

  /** A barrier. */
  meet(): void {
    if (this.#clocks.length === 1) return;
    const reason = this.#dealt ? 'pieces' : 'shares';
    this.#dealt = false;
    let last = 0;
    for (const thread of this.#inOrder()) {
      last = Math.max(this.#clocks[thread], last) + this.#machine.handover;
    }
    const { spin, wake, handover } = this.#machine;
    const arrived = Math.max(...this.#clocks);
    for (const [thread, clock] of this.#clocks.entries()) {
      const late = last - clock > spin ? wake : handover;
      this.#spend(thread, reason, arrived - clock);
      this.#spend(thread, 'engine', last - arrived + (clock === arrived ? 0 : late));
    }
  }

  result(): Simulated {
    const microseconds = Math.max(...this.#clocks);
    const whole = Object.values(this.#spent).reduce((sum, part) => sum + part, 0);
    const parts = Object.entries(this.#spent).map(([name, part]) => [name, part / whole]);
    return { microseconds, parts: Object.fromEntries(parts) };
  }

  get #contended(): number {
    return this.#clocks.length === 1 ? 0 : this.#machine.handover;
  }

  #inOrder(): number[] {
    return [...this.#clocks.keys()].sort((a, b) => this.#clocks[a] - this.#clocks[b]);
  }

  #spend(thread: number, on: keyof Parts, time: number): void {
    this.#clocks[thread] += time;
    this.#spent[on] += time;
  }
}
