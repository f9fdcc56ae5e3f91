/** A side of the comparison, seen from the process that compares: `side.js` is the other end. */
import { fork } from 'node:child_process';

/** By the names of their scripts. */
export const LABELS = { 'llama-cpp': 'llama.cpp', wllama: 'wllama', ours: 'llama-32k' };

export class Peer {
  constructor(name) {
    this.label = LABELS[name];
    this.measured = [];
    this.child = fork(new URL(`${name}.js`, import.meta.url));
  }

  async load(settings) {
    this.loaded = await this.#ask(settings);
  }

  round() {
    return this.#ask('round');
  }

  /** Waits until the process is gone, and its memory free. */
  close() {
    if (this.child.exitCode !== null) return undefined;
    const gone = new Promise(resolve => this.child.once('exit', resolve));
    this.child.send('close');
    return gone;
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      const failed = code => reject(new Error(`${this.label} ended with exit code ${code}`));
      this.child.once('exit', failed);
      this.child.once('message', answer => {
        this.child.off('exit', failed);
        resolve(answer);
      });
      this.child.send(message);
    });
  }
}
