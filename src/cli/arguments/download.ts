/**
 * --model as the name of a model of the hub: downloaded while a person watches, who may press
 * Ctrl-C.
 */

import { showBytes } from '../../base/disk.js';
import { LlamaError } from '../../base/errors.js';
import { downloadModel } from '../../hub/download-model.js';
import type { DownloadOptions } from '../../hub/settings.js';
import { Interrupted, type Io, note } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';
import type { Options } from './options.js';

/** The path that it has in the cache. With `only`, no more than that is downloaded. */
export async function download(
  model: string,
  options: Options,
  io: Io,
  only: DownloadOptions['only'],
): Promise<string> {
  const json = options.flag('json');
  const progress = new Progress(io, json);
  const tell = (text: string) => {
    progress.clear();
    if (!json) note(io, text);
  };
  const controller = new AbortController();
  const off = io.onInterrupt(() => {
    off();
    controller.abort(
      new Interrupted('interrupted; what came is kept, and the same command goes on from there'),
    );
  });
  let isAnnounced = false;
  try {
    return await downloadModel(model, {
      revision: options.text('revision'),
      only,
      env: io.env,
      signal: controller.signal,
      onProgress: ({ stage, done, total }) => {
        if (!isAnnounced) tell(`downloading ${model}: ${showBytes(total)}`);
        isAnnounced = true;
        if (stage === 'download') progress.download(done, total);
        else progress.verify(done, total);
      },
      onRetry: (reason, seconds) => tell(`${reason}; again in ${seconds} s`),
    });
  } catch (error) {
    // Nothing came: perhaps it is a path after all, and mistyped.
    if (isAnnounced || !(error instanceof LlamaError) || error.code === 'BAD_OPTION') throw error;
    throw new LlamaError(
      error.code,
      `${model} is no path here, and as a model of the hub: ${error.message}`,
      {
        cause: error,
      },
    );
  } finally {
    off();
    progress.clear();
  }
}
