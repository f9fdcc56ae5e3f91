import { sum } from '../base/sum.js';
import type { RemoteFile } from './cache.js';
import type { OnBytes } from './download.js';
import type { DownloadOptions } from './settings.js';

/** Bytes of several files, summed up for who waits for all of them. */
export class Tally {
  readonly #onProgress: DownloadOptions['onProgress'];
  readonly #bytes = {
    download: new Map<RemoteFile, number>(),
    verify: new Map<RemoteFile, number>(),
  };
  #total = 0;

  constructor(onProgress?: DownloadOptions['onProgress']) {
    this.#onProgress = onProgress;
  }

  expect(files: readonly RemoteFile[]): void {
    this.#total = sum(files.map(({ size }) => size));
  }

  of(file: RemoteFile): OnBytes {
    return (stage, bytes) => {
      this.#bytes[stage].set(file, bytes);
      // perhaps by another process
      if (stage === 'verify') this.#bytes.download.set(file, file.size);
      this.#report();
    };
  }

  /** Files are verified while others come: that is told when none comes any more. */
  #report(): void {
    const downloaded = sum(this.#bytes.download.values());
    const stage = downloaded < this.#total ? 'download' : 'verify';
    const done = stage === 'download' ? downloaded : sum(this.#bytes.verify.values());
    this.#onProgress?.({ stage, done, total: this.#total });
  }
}
