/**
 * The command line with streams of our own; and as the program it is after a build, which `npm
 * test` makes first.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/run.js';
import type { Io } from '../../src/cli/terminal/io.js';
import { goldenPath } from '../support/golden.js';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

class Collector extends Writable {
  text = '';
  readonly isTTY: boolean;

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

export class FakeIo implements Io {
  readonly stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
  readonly stdout: Collector;
  readonly stderr: Collector;
  readonly env: Record<string, string>;
  readonly interrupts = new Set<() => void>();

  constructor(
    terminals: readonly ('stdin' | 'stdout' | 'stderr')[] = [],
    env: Record<string, string> = {},
  ) {
    if (terminals.includes('stdin')) this.stdin.isTTY = true;
    this.stdout = new Collector(terminals.includes('stdout'));
    this.stderr = new Collector(terminals.includes('stderr'));
    this.env = env;
  }

  onInterrupt(listener: () => void): () => void {
    this.interrupts.add(listener);
    return () => this.interrupts.delete(listener);
  }

  interrupt(): void {
    for (const listener of this.interrupts) listener();
  }
}

/** Runs to the end; `stdin` is all there is to read. */
export async function cli(
  args: readonly string[],
  stdin: string | Buffer = '',
  io = new FakeIo(),
): Promise<Finished> {
  io.stdin.end(stdin);
  const code = await run(args, io);
  return { code, stdout: io.stdout.text, stderr: io.stderr.text };
}

/** What --json printed; fails unless it is one value, and the verb succeeded. */
export async function json(args: readonly string[], stdin?: string) {
  const { code, stdout, stderr } = await cli([...args, '--json'], stdin);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const built = (file: string) => fileURLToPath(new URL(`../../dist/cli/${file}`, import.meta.url));

export function program(...args: string[]): ChildProcessWithoutNullStreams {
  return programIn(process.env, ...args);
}

export function programIn(
  env: NodeJS.ProcessEnv,
  ...args: string[]
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [built('main.js'), ...args], { env });
}

export async function finished(
  child: ChildProcessWithoutNullStreams,
): Promise<Finished & { signal: string | null }> {
  const ended = new Promise<{ code: number | null; signal: string | null }>(resolve => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr, ...(await ended) };
}

export const demo = (...args: string[]) =>
  finished(
    spawn(process.execPath, [
      fileURLToPath(new URL('../../demo/demo.js', import.meta.url)),
      ...args,
    ]),
  );

/** golden/gqa, but that no token that it ever says ends the text; the other function removes it. */
export async function endlessModel(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'llama-32k-endless-'));
  await cp(goldenPath('gqa'), path, {
    recursive: true,
    filter: file => !/trace|generation_config/.test(file),
  });
  const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'));
  await writeFile(
    join(path, 'config.json'),
    JSON.stringify({ ...config, bos_token_id: 0, eos_token_id: 0 }),
  );
  return { path, remove: () => rm(path, { recursive: true }) };
}

/** A character that a terminal obeys. */
export const ESCAPE = '\x1b';

export const CLEAR_LINE = `\r${ESCAPE}[K`;
