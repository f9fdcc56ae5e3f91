/**
 * Starting threads of this package.
 */
import type { Readable, Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { packageFile } from './package.js';

/**
 * Runs the file `path` of this package in a thread of its own, which finds `data` in `workerData`.
 * What it prints goes where this process prints.
 *
 * @throws {LlamaError} BROKEN_INSTALLATION in a bundle.
 */
export function startWorker(path: string, data?: unknown): Worker {
  // Not the program's own flags: a worker refuses some, such as --input-type, and runs what
  // --import names.
  const worker = new Worker(packageFile(path), { workerData: data, execArgv: [] });
  passOn(worker.stdout, process.stdout);
  passOn(worker.stderr, process.stderr);
  return worker;
}

/**
 * With one listener on the thread's own stream. Node has piped it, with four listeners on the
 * process's: from eleven threads on, whoever adds another is warned of a leak.
 *
 * @param from null in runtimes where threads have no streams of their own
 */
function passOn(from: Readable | null, to: Writable): void {
  if (from === null) return;
  from.unpipe(to);
  from.on('data', chunk => to.write(chunk));
  from.resume(); // unpiping has stopped it
}
