/** Which files go on with a text, one after the other. */
import { readdir } from 'node:fs/promises';
import { commonLength } from '../../base/common-length.js';
import { check } from '../../base/errors.js';
import { PAGE_POSITIONS, wholePages } from '../../model/sequence.js';
import type { KeptFiles } from '../kept-files/kept-files.js';
import { keysOf } from './page-keys.js';
import { PAGES, PagesFile, startOfName } from './pages-file.js';

/** A file that has pages of a text. */
export interface Run {
  /** Without what all names end in. */
  readonly name: string;
  readonly bytes: number;
  /** The number in the text of its first page. */
  readonly first: number;
  /** Pages that it has in common with the text, one or more. */
  readonly pages: number;
  /** What it has in common of the page after these, in tokens. */
  readonly more: number;
  /** Of all its pages, in common or not. */
  readonly tokens: readonly number[];
}

/** Told of a file that is not what was written. */
export type Distrust = (name: string, error: unknown) => Promise<void>;

/**
 * The files that together have the longest beginning of `tokens`, in whole pages, under `root`, the
 * key of what is before all texts. Where several go on, the one that does for longest.
 */
export async function findRuns(
  files: KeptFiles,
  root: Uint8Array,
  tokens: readonly number[],
  distrust: Distrust,
): Promise<Run[]> {
  const names = await namesByStart(files.directory);
  const keys = keysOf(root, tokens);
  const runs: Run[] = [];
  let first = 0;
  while (first + 1 < keys.length) {
    const rest = { before: keys[first], first, tokens: tokens.slice(first * PAGE_POSITIONS) };
    const candidates = names.get(startOfName(keys[first + 1])) ?? [];
    const run = await longest(files, candidates, rest, distrust);
    if (run === undefined) break;
    runs.push(run);
    first += run.pages;
  }
  return runs;
}

/** Names of files of pages, by the key of their first page. */
async function namesByStart(directory: string): Promise<Map<string, string[]>> {
  const byStart = new Map<string, string[]>();
  for (const file of await readdir(directory).catch(() => [])) {
    const [, name, start] = NAME.exec(file) ?? [];
    if (name === undefined) continue;
    byStart.set(start, [...(byStart.get(start) ?? []), name]);
  }
  return byStart;
}

const NAME = new RegExp(`^(([0-9a-f]{32})-[0-9a-f]{32})\\${PAGES}$`);

/** What is left of a text. */
interface Rest {
  readonly before: Uint8Array;
  readonly first: number;
  readonly tokens: readonly number[];
}

async function longest(
  files: KeptFiles,
  names: readonly string[],
  rest: Rest,
  distrust: Distrust,
): Promise<Run | undefined> {
  let best: Run | undefined;
  for (const name of names) {
    const run = await runOf(files, name, rest).catch(error => distrust(name, error));
    if (run && commonTokens(run) > commonTokens(best)) best = run;
  }
  return best;
}

const commonTokens = (run: Run | undefined): number =>
  run === undefined ? 0 : run.pages * PAGE_POSITIONS + run.more;

async function runOf(files: KeptFiles, name: string, rest: Rest): Promise<Run> {
  const path = files.path(name);
  const file = await PagesFile.open(path);
  await file.close();
  const { before, tokens } = file.head;
  const common = commonLength(tokens, rest.tokens);
  const isOfText = Buffer.compare(before, rest.before) === 0 && common >= PAGE_POSITIONS;
  check(isOfText, 'BAD_CHECKPOINT', () => `${path} is not what its name says`);
  const pages = wholePages(common);
  const more = common % PAGE_POSITIONS;
  return { name, bytes: file.size, first: rest.first, pages, more, tokens };
}
