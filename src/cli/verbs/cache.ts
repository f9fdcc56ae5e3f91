/** `llama-32k cache`: keys and values of texts that are kept on the disk. */
import { rm } from 'node:fs/promises';
import { showBytes } from '../../base/disk.js';
import { LlamaError, show } from '../../base/errors.js';
import { alignColumns, groupDigits } from '../../base/table.js';
import { type Entry, entriesOf, removeLeftovers } from '../../load/kept-files/room.js';
import { keptPagesSettings, openDiskCache } from '../../load/prefix-cache/open.js';
import { DISK_CACHE } from '../../load/prefix-cache/options.js';
import { PAGES, PagesFile } from '../../load/prefix-cache/pages-file.js';
import { warm } from '../../load/prefix-cache/warm.js';
import { CHAT_OPTIONS } from '../arguments/chat.js';
import { DOCUMENT_OPTIONS, encodeDocument, readDocument } from '../arguments/document.js';
import { flagsOf, readFlags } from '../arguments/flags.js';
import { contextFor, ENGINE, engineOptions, modelPath, withLoaded } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { loadGiven } from '../arguments/prompt.js';
import { abortOnInterrupt, type Io, note, write, writeJson } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';

const ACTIONS: Readonly<Record<string, (options: Options, io: Io) => Promise<void>>> = {
  list,
  warm: warmFile,
  clear,
};

export const cacheVerb: Verb = {
  name: 'cache',
  usage: '(list | warm FILE | clear) [options]',
  summary: 'Texts that were read already, and are not read again.',
  details: [
    'What a model computes of a text, its keys and values, is kept on the disk in pages of 64 ' +
      'tokens, and found by whatever begins with the same tokens: a server that has read a ' +
      'document reads it once, whatever is asked about it, also after a restart.',
    'list shows what there is. warm reads FILE, a text in UTF-8, or - for stdin, as the ' +
      'beginning of an instruction, or with --raw of a text, and keeps it: for the same model, ' +
      '--weights and --cache, and the same salt. If it is interrupted, what was read so far is ' +
      'kept. clear removes all that is kept, of all models.',
  ],
  options: [...MODEL, ...DOCUMENT_OPTIONS, ...CHAT_OPTIONS, ...flagsOf(DISK_CACHE), ...ENGINE],
  json:
    'Print {directory, bytes, files} with list, files a list of {file, model, engine, position, ' +
    'tokens, bytes, used}; {directory, model, kernels, tokens, kept, known, seconds} with warm; ' +
    '{directory, files, bytes} with clear.',
  argument: 'list, warm FILE or clear',
  mostArguments: 2,
  run(options: Options, io: Io): Promise<void> {
    const [name = ''] = options.arguments;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) {
      const found = name === '' ? 'it is not said what to do' : `${show(name)} is none of them`;
      throw new LlamaError('BAD_OPTION', `${found}; there is: list, warm FILE, clear`);
    }
    return action(options, io);
  },
};

/** Refuses a second argument, and options that another action has. */
function refuseMore(options: Options): void {
  const [action, more] = options.arguments;
  if (more !== undefined)
    throw new LlamaError('BAD_OPTION', `${action} takes nothing more, and there is ${show(more)}`);
  const own = ['json', 'help', ...flagsOf(DISK_CACHE).map(({ name }) => name)];
  const useless = options.given().find(name => !own.includes(name));
  if (useless !== undefined)
    throw new LlamaError('BAD_OPTION', `--${useless} has no effect with ${action}`);
}

/** What is in a file of pages. */
interface Described {
  readonly model: string;
  readonly engine: string;
  /** The first position. */
  readonly position: number;
  readonly tokens: number;
}

/** A file of pages, as it is listed; without what is in it, if it is damaged. */
interface Listed extends Partial<Described> {
  readonly file: string;
  readonly bytes: number;
  readonly used: string;
}

async function list(options: Options, io: Io): Promise<void> {
  refuseMore(options);
  const { directory } = keptPagesSettings(readFlags(options, DISK_CACHE));
  const entries = await filesIn(directory);
  const files: Listed[] = [];
  for (const { path, bytes, used } of entries.reverse()) {
    const about = await describe(path);
    files.push({ file: path, bytes, used: new Date(used).toISOString(), ...about });
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (options.flag('json')) return writeJson(io, { directory, bytes, files });
  if (files.length === 0) return note(io, `nothing is kept in ${directory}`);
  await write(io.stdout, `${readable(files).join('\n')}\n`);
  note(io, `${showBytes(bytes)} in ${directory}`);
}

/** What was used longest ago is first; nothing if the directory is not there. */
async function filesIn(directory: string): Promise<Entry[]> {
  try {
    return await entriesOf(directory, PAGES);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new LlamaError('NOT_FOUND', `cannot read ${directory}: ${message}`, { cause: error });
  }
}

/** What `DiskCache` writes into a head. */
interface About {
  readonly model: string;
  readonly position: number;
  readonly pages: { readonly engine: string; readonly cache?: string };
}

/** What the file at `path` says of itself; nothing if it is not to be believed. */
async function describe(path: string): Promise<Partial<Described>> {
  try {
    const file = await PagesFile.open(path);
    await file.close();
    const { about, tokens } = file.head;
    const { model, position, pages } = about as unknown as About;
    const { engine, cache } = pages;
    const name = cache === undefined ? engine : `${engine}, ${cache}`;
    return { model, engine: name, position, tokens: tokens.length };
  } catch {
    return {};
  }
}

function readable(files: readonly Listed[]): string[] {
  const head = ['model', 'engine', 'positions', 'size', 'used'];
  const rows = files.map(({ model, engine, position, tokens, bytes, used }) => [
    model ?? 'damaged',
    engine ?? '',
    tokens === undefined ? '' : `${position} to ${position! + tokens - 1}`,
    showBytes(bytes),
    used.slice(0, 16).replace('T', ' '),
  ]);
  return alignColumns([head, ...rows], [2, 3]);
}

async function clear(options: Options, io: Io): Promise<void> {
  refuseMore(options);
  const { directory } = keptPagesSettings(readFlags(options, DISK_CACHE));
  const entries = await filesIn(directory);
  for (const { path } of entries) await rm(path, { force: true });
  await removeLeftovers(directory);
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  const files = entries.length;
  if (options.flag('json')) return writeJson(io, { directory, files, bytes });
  note(io, `removed ${files} files, ${showBytes(bytes)}, from ${directory}`);
}

async function warmFile(options: Options, io: Io): Promise<void> {
  const json = options.flag('json');
  const disk = readFlags(options, DISK_CACHE);
  const { directory } = keptPagesSettings(disk);
  const text = await readDocument(options, io);
  const path = await modelPath(options, io);
  const encoded = await encodeDocument(text, path, options);
  const progress = new Progress(io, json);
  const signal = abortOnInterrupt(io);
  const engine = engineOptions(options, { signal, progress }, contextFor(encoded.ids.length));
  const loading = loadGiven(encoded, path, engine);
  await withLoaded({ io, json, progress }, loading, async loaded => {
    const { model } = loaded;
    const store = await openDiskCache(loaded, disk, warning => note(io, warning));
    const began = performance.now();
    const salt = options.text('cache-salt');
    const onProgress = (done: number, total: number) => progress.prefill(done, total);
    const { kept, known } = await warm(model, store, encoded.ids, { salt, signal, onProgress });
    const seconds = (performance.now() - began) / 1000;
    progress.clear();
    const tokens = encoded.ids.length;
    const about = { directory, model: path, kernels: model.engine.name };
    if (json) return writeJson(io, { ...about, tokens, kept, known, seconds });
    note(
      io,
      `${groupDigits(kept)} of ${groupDigits(tokens)} tokens are kept in ${directory}: ` +
        `${groupDigits(known)} were, ${groupDigits(kept - known)} were read in ` +
        `${seconds.toFixed(1)} s`,
    );
  });
}
