/** A model whose threads write down what they do, for one forward pass at a time. */
import { Worker } from 'node:worker_threads';
import type { Platform, Thread, ThreadEvents } from '../../src/engines/wasm/platform/platform.js';
import type { LoadOptions } from '../../src/load/options.js';
import type { Llama } from '../../src/model/llama.js';
import { builtLoad } from '../built.js';
import { type Span, TRACE_BYTES, Trace } from './trace.js';

export interface TracedModel {
  readonly model: Llama;
  /** What each thread did since the last call. */
  take(): Span[][];
}

/** The model at `path`, as `loadLlama` has it. */
export async function loadTraced(path: string, options: LoadOptions): Promise<TracedModel> {
  const traces: Trace[] = [];
  const here = new URL('../../../dist/engines/wasm/platform/here.js', import.meta.url);
  const { platform }: { platform: Platform } = await import(here.href);
  const { startThread } = platform;
  const startTraced = (setup: unknown, events: ThreadEvents<unknown>) => {
    const trace = new SharedArrayBuffer(TRACE_BYTES);
    traces.push(new Trace(trace));
    return thread({ ...(setup as object), trace }, events);
  };
  Object.assign(platform, { startThread: startTraced });
  try {
    const { loadLlama } = await builtLoad();
    const { model } = await loadLlama(path, options);
    const take = () => traces.map(trace => trace.take());
    take();
    return { model, take };
  } finally {
    Object.assign(platform, { startThread });
  }
}

function thread(workerData: unknown, events: ThreadEvents<unknown>): Thread<unknown> {
  const worker = new Worker(new URL('./traced-worker.js', import.meta.url), { workerData });
  worker.unref();
  worker.on('message', answer => events.answer(answer));
  worker.on('error', error => events.end(`a worker failed: ${error.message}`));
  return {
    send(job) {
      worker.ref();
      worker.postMessage(job);
    },
    rest: () => worker.unref(),
    async stop() {
      await worker.terminate();
    },
  };
}
