/**
 * A thread of the pool as published, whose kernels and barriers write down when they begin and end.
 * The published files are not touched: what they import is wrapped before they run.
 */
import { workerData } from 'node:worker_threads';
import { Trace } from './trace.js';

const { trace: buffer } = workerData as { readonly trace: SharedArrayBuffer };
const trace = new Trace(buffer);
const now = () => performance.timeOrigin + performance.now();
const built = (path: string) => import(new URL(`../../../dist/${path}`, import.meta.url).href);

type Kernel = (...args: number[]) => unknown;

/** In place of WebAssembly's own: exports are wrapped. */
class TracedInstance {
  readonly exports: Record<string, Kernel>;

  constructor(module: WebAssembly.Module, imports: Record<string, Record<string, unknown>>) {
    const { exports } = new Instance(module, imports);
    this.exports = Object.fromEntries(
      Object.entries(exports).map(([name, kernel]) => [name, traced(name, kernel as Kernel)]),
    );
  }
}

function traced(name: string, kernel: Kernel): Kernel {
  return (...args) => {
    const start = now();
    const result = kernel(...args);
    trace.add(name, start, now(), args);
    return result;
  };
}

const { Instance } = WebAssembly;
Object.assign(WebAssembly, { Instance: TracedInstance });

const { Control } = await built('engines/wasm/threads/control.js');
const { wait } = Control.prototype;
Control.prototype.wait = function (this: unknown) {
  const start = now();
  wait.call(this);
  trace.add('barrier', start, now(), []);
};

await built('engines/wasm/workers/worker.js');
