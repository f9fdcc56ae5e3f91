/** What `convert` and `quantize` have in common: options, progress, and what is said in the end. */

import { check } from '../../base/errors.js';
import { escapeFor } from '../../base/escape.js';
import type { Leftover } from '../../base/partial.js';
import { alignColumns, groupDigits } from '../../base/table.js';
import type { WriteHooks } from '../../convert/output.js';
import { REWRITE, type Written } from '../../convert/rewrite.js';
import { abortOnInterrupt, type Io, note, showNotes, write, writeJson } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';
import { flagsOf } from './flags.js';
import { modelPath } from './model.js';
import type { Option, Options } from './options.js';

/** @param value what --output may be; `help` says more of it */
export const rewriteOptions = (value: string, help: string): readonly Option[] => [
  { name: 'output', value, help: `What to write; links are followed. ${help}` },
  ...flagsOf(REWRITE),
];

export const WRITTEN_JSON =
  'Print {model, output, files: [{name, bytes}], bytes, tensors, dtypes, rounded, notes, ' +
  'seconds}: dtypes has the number of parameters of each, rounded is the number of tensors ' +
  'whose new format may not hold their numbers exactly.';

export async function runRewrite(
  options: Options,
  io: Io,
  rewrite: (model: string, output: string, hooks: WriteHooks) => Promise<Written>,
): Promise<void> {
  const output = options.text('output');
  check(
    output !== undefined && output !== '',
    'BAD_OPTION',
    () => '--output is missing; name a file or a directory',
  );
  const model = await modelPath(options, io);
  const json = options.flag('json');
  const progress = new Progress(io, json);
  const began = performance.now();
  const hooks: WriteHooks = {
    signal: abortOnInterrupt(io),
    onProgress: (done, total) => progress.write(done, total),
    onLeftover: leftover => json || note(io, leftoverNote(leftover)),
  };
  try {
    const written = await rewrite(model, output, hooks);
    progress.clear();
    const seconds = (performance.now() - began) / 1000;
    showNotes(io, json, written.notes);
    if (json) await writeJson(io, { model, ...written, seconds });
    else await write(io.stdout, escapeFor(io.stdout, readable(written, seconds)));
  } finally {
    progress.clear();
  }
}

function leftoverNote({ path, isRemoved }: Leftover): string {
  return isRemoved
    ? `removed ${path}, which a conversion left that was ended by force`
    : `${path} is of another conversion; if that does not run any more, remove it`;
}

function readable(
  { output, files, bytes, tensors, dtypes, rounded }: Written,
  seconds: number,
): string {
  const counts = Object.entries(dtypes).map(([dtype, count]) => `${groupDigits(count)} ${dtype}`);
  return [
    output,
    '',
    ...alignColumns(
      files.map(file => [file.name, groupDigits(file.bytes)]),
      [1],
    ),
    '',
    `${groupDigits(bytes)} bytes in ${seconds.toFixed(1)} s; ${tensors} tensors with ` +
      `${counts.join(', ')}; ` +
      (rounded === 0 ? 'no number was changed' : `${rounded} tensors rounded`),
    '',
  ].join('\n');
}
