/** A side of the comparison, seen from the process that compares: `side.js` is the other end. */
import { fork } from 'node:child_process';

/** What each is called, its script, and what that is told besides. */
export const PEERS = {
  'llama-cpp': { label: 'llama.cpp', script: 'llama-cpp.js' },
  wllama: { label: 'wllama', script: 'wllama.js' },
  'onnx-q4': { label: 'ONNX q4', script: 'transformers-js.js', dtype: 'q4' },
  'onnx-q8': { label: 'ONNX q8', script: 'transformers-js.js', dtype: 'q8' },
  ours: { label: 'llama-32k', script: 'ours.js' },
};

export class Peer {
  #own;

  constructor(name) {
    const { label, script, ...own } = PEERS[name];
    this.label = label;
    this.#own = own;
    this.measured = [];
    this.child = fork(new URL(script, import.meta.url));
  }

  async load(settings) {
    this.loaded = await this.#ask({ ...settings, ...this.#own });
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
