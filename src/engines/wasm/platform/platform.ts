/**
 * What the engine needs of the JavaScript runtime that it is in, beside the language and
 * WebAssembly. `node.ts` is the only implementation so far; another runtime is another file, and
 * `here.ts` says which one counts.
 */

/** The compiled modules, by the names of their files. */
export type ModuleName = 'simd' | 'relaxed' | 'dot4' | 'relaxed-wide' | 'dot4-wide';

/** The runtime as the engine sees it. */
export interface Platform {
  /** On how many cores threads of this process may compute. */
  cores(): number;
  /** The bytes of memory that this process can have: the machine's, or its container's. */
  memoryBytes(): number;
  /** The bytes of addresses that this process may use; undefined where there is no limit. */
  addressLimit(): number | undefined;
  /** Asks for a collection of garbage, if the runtime has a way to ask. */
  collectGarbage(): void;
  /** @throws {LlamaError} BROKEN_INSTALLATION if it is missing or damaged. */
  compileModule(name: ModuleName): Promise<WebAssembly.Module>;
  /** Switches relaxed SIMD on, where that takes a switch; whether it did, validation tells. */
  allowRelaxedSimd(): void;
  /** False where the dot product over four bytes is known to be computed wrongly. */
  readonly isDot4Right: boolean;
  /** Whether this engine is known to make 256-bit code of pairs of 128-bit operations. */
  readonly canWiden: boolean;
  /**
   * Compiles a module anew, and does `work` with it: in that time each of its functions that is
   * called a few times is compiled by the optimizing compiler before it goes on, and where `width`
   * is 256, which takes `canWiden`, pairs of 128-bit operations become 256-bit ones. Code stays as
   * it was compiled. What else the process compiles in that time is compiled likewise, so `work`
   * should wait for nothing. Throws as `compileModule`.
   */
  optimizeAtOnce<T>(
    name: ModuleName,
    width: 128 | 256,
    work: (module: WebAssembly.Module) => Promise<T>,
  ): Promise<T>;
  /** Starts a thread of the engine; `serve` is called in it, and given `setup`. */
  startThread<Job, Answer>(setup: unknown, events: ThreadEvents<Answer>): Thread<Job>;
  /**
   * In a thread: answers every job with what `start(setup)` returned, one after the other. The
   * `buffersOf` an answer are handed over and not copied.
   */
  serve<Setup, Job, Answer>(
    start: (setup: Setup) => (job: Job) => Promise<Answer>,
    buffersOf: (answer: Answer) => ArrayBuffer[],
  ): void;
}

export interface ThreadEvents<Answer> {
  /** The thread has answered a job. */
  answer(answer: Answer): void;
  /** The thread has come to its end, or will: it answers no more. */
  end(reason: string): void;
}

export interface Thread<Job> {
  /** Gives the thread a job; until `rest` the process is kept alive for its answer. */
  send(job: Job): void;
  /** The process need not be kept alive for this thread. */
  rest(): void;
  /** Ends the thread, whatever it is doing. */
  stop(): Promise<void>;
}
