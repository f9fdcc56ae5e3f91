/**
 * A barrier for the workers of one pool: nobody goes on before everybody has arrived.
 *
 * The last to arrive raises the generation. The others spin for a moment, because in a forward pass
 * they rarely wait longer than a few microseconds, and then sleep.
 */

const ARRIVED = 0;
const GENERATION = 1;
const SLEEPING = 2;
const BROKEN = 3;
const CANCEL = 4;
const DECISIONS = 5; // two of them
const LAYERS_DONE = 7;
/** The first of the counters from which work is dealt out. */
const DEALT = 16;
const COUNTERS = 64;
export const CONTROL_WORDS = DEALT + COUNTERS;

/**
 * Some ten microseconds. With ten times as many, a busy program beside two threads on two cores
 * cost another third of the speed (docs/LOG.md).
 */
const SPINS = 2_000;

/** The state that a pool's threads share. */
export class Control {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #threads: number;
  readonly #spins: number;

  constructor(words: Int32Array<SharedArrayBuffer>, threads: number, cores: number) {
    this.#words = words;
    this.#threads = threads;
    // who spins on a shared core keeps the one waited for from running
    this.#spins = threads > cores ? 0 : SPINS;
  }

  /** Throws if the pool was broken in the meantime: a worker that died never arrives. */
  wait(): void {
    if (this.#threads === 1) return;
    const generation = Atomics.load(this.#words, GENERATION);
    if (Atomics.add(this.#words, ARRIVED, 1) === this.#threads - 1) {
      Atomics.store(this.#words, ARRIVED, 0);
      Atomics.add(this.#words, GENERATION, 1);
      if (Atomics.load(this.#words, SLEEPING) > 0) Atomics.notify(this.#words, GENERATION);
      return;
    }
    for (let i = 0; i < this.#spins; i++) {
      if (Atomics.load(this.#words, GENERATION) !== generation) return;
    }
    Atomics.add(this.#words, SLEEPING, 1);
    while (Atomics.load(this.#words, GENERATION) === generation) {
      if (Atomics.load(this.#words, BROKEN) !== 0) throw new Error('the pool was broken');
      Atomics.wait(this.#words, GENERATION, generation, 1000);
    }
    Atomics.sub(this.#words, SLEEPING, 1);
  }

  /**
   * Called by every thread before layer `layer`: true for all of them or for none.
   *
   * The leader writes down what it saw, and all read what it wrote a layer ago: there were barriers
   * in between, so no other is needed.
   */
  isCancelled(isLeader: boolean, layer: number): boolean {
    if (isLeader)
      Atomics.store(this.#words, DECISIONS + (layer % 2), Atomics.load(this.#words, CANCEL));
    return layer > 0 && Atomics.load(this.#words, DECISIONS + ((layer - 1) % 2)) !== 0;
  }

  /**
   * The next piece of `size` things of operation number `operation`: where it begins.
   *
   * Threads are never more than a few operations apart, so the counter that comes into use half a
   * round later can be reset meanwhile.
   */
  deal(operation: number, size: number): number {
    Atomics.store(this.#words, DEALT + ((operation + COUNTERS / 2) % COUNTERS), 0);
    return Atomics.add(this.#words, DEALT + (operation % COUNTERS), size);
  }

  begin(): void {
    Atomics.store(this.#words, CANCEL, 0);
    Atomics.store(this.#words, LAYERS_DONE, 0);
    for (let i = 0; i < COUNTERS; i++) Atomics.store(this.#words, DEALT + i, 0);
  }

  cancel(): void {
    Atomics.store(this.#words, CANCEL, 1);
  }

  break(): void {
    Atomics.store(this.#words, BROKEN, 1);
    Atomics.notify(this.#words, GENERATION);
  }

  get layersDone(): number {
    return Atomics.load(this.#words, LAYERS_DONE);
  }

  set layersDone(done: number) {
    Atomics.store(this.#words, LAYERS_DONE, done);
  }
}
