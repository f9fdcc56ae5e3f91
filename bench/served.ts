/** `llama-32k serve`, as it is built, in a process of its own; and what its numbers say. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export class ServedModel {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  /** Resolves when it takes requests. Lines of its log that are errors are printed. */
  static async start(
    args: readonly string[],
    nodeArgs: readonly string[] = [],
  ): Promise<ServedModel> {
    const flags = [...nodeArgs, MAIN, 'serve', '--port', '0', '--json', ...args];
    const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface(child.stderr).on('line', line => {
      if (!line.startsWith('{"level":30')) console.error(line);
    });
    for await (const line of createInterface(child.stdout)) {
      const { url } = JSON.parse(line) as { url: string };
      return new ServedModel(url, child);
    }
    throw new Error('the server ended before it was ready');
  }

  /** By name, added up over labels. */
  async numbers(): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const numbers = new Map<string, number>();
    for (const [, name, value] of text.matchAll(/^(\w+)(?:\{[^}]*\})? (\S+)$/gm))
      numbers.set(name, (numbers.get(name) ?? 0) + Number(value));
    return numbers;
  }

  /** Fields that `path` takes. */
  async fieldsOf(path: string): Promise<ReadonlySet<string>> {
    const { paths } = (await (await fetch(`${this.url}/openapi.json`)).json()) as {
      paths: Record<string, { post: { requestBody: { content: object } } }>;
    };
    const [{ schema }] = Object.values(paths[path].post.requestBody.content);
    return new Set(Object.keys(schema.properties));
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Its exit code. */
  stop(): Promise<number | null> {
    const ended = new Promise<number | null>(resolve => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    return ended;
  }
}
