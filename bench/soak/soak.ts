/**
 * `npm run bench -- soak [--requests 20000] [--clients 16] [--seed 1]`: a server
 * as people start it, and requests in random mixtures, of which one in twenty is malformed, and of
 * whose clients one in twenty goes away. Every request is answered, none with 5xx; at the end
 * nothing runs, one text gets all pages, and memory is what it was after the first thousand, within
 * 3 %. So that it can be: all pages are used once before, for the prefix cache keeps texts until
 * there are no more; and garbage is collected before memory is looked at.
 */
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ServedModel } from '../served.js';
import { send } from './client.js';
import { Random } from './random.js';
import { nextRequest } from './requests.js';

const SETTLED_AFTER = 1000;
const MOST_GROWTH = 0.03;
const SHOWN = 20;
/** A server that collects garbage when it is told to. */
const COLLECTING = [
  '--expose-gc',
  ...['--import', 'data:text/javascript,process.on("SIGUSR2", () => gc())'],
];

export async function soakBench(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      requests: { type: 'string', default: '20000' },
      clients: { type: 'string', default: '16' },
      seed: { type: 'string', default: '1' },
    },
  });
  const served = await ServedModel.start(positionals, COLLECTING);
  const soak = new Soak(served, new Random(Number(values.seed)), Number(values.clients));
  try {
    await soak.run(Number(values.requests));
    await soak.checkEnd();
  } finally {
    const code = await served.stop();
    soak.check(code === 143 || code === 0, `the server ended with code ${code}`);
  }
  soak.report();
}

class Soak {
  readonly #served: ServedModel;
  readonly #random: Random;
  readonly #clients: number;
  readonly #complaints: string[] = [];
  readonly #counts = new Map<string, number>();
  #fields: ReadonlySet<string> = new Set();
  #settledBytes = 0;

  constructor(served: ServedModel, random: Random, clients: number) {
    this.#served = served;
    this.#random = random;
    this.#clients = clients;
  }

  async run(requests: number): Promise<void> {
    this.#fields = await this.#served.fieldsOf('/v1/chat/completions');
    await this.#useAllPages();
    const first = Math.min(SETTLED_AFTER, Math.floor(requests / 2));
    await this.#send(first);
    this.#settledBytes = await this.#residentBytes();
    console.log(`${first} requests: ${mebibytes(this.#settledBytes)} resident`);
    await this.#send(requests - first);
  }

  async checkEnd(): Promise<void> {
    const bytes = await this.#residentBytes();
    const growth = bytes / this.#settledBytes - 1;
    const grown = `${mebibytes(bytes)} resident, ${(100 * growth).toFixed(1)} % more`;
    console.log(`at the end: ${grown}`);
    this.check(growth <= MOST_GROWTH, `memory grew: ${grown}`);
    const numbers = await this.#served.numbers();
    for (const name of ['l32k_requests_running', 'l32k_requests_waiting'])
      this.check(numbers.get(name) === 0, `${name} is ${numbers.get(name)}`);
    await this.#useAllPages();
  }

  check(holds: boolean, complaint: string): void {
    if (!holds) this.#complaints.push(complaint);
  }

  report(): void {
    for (const [what, count] of [...this.#counts].sort()) console.log(`${count} × ${what}`);
    for (const complaint of this.#complaints.slice(0, SHOWN)) console.error(complaint);
    console.log(`${this.#complaints.length} complaints`);
    if (this.#complaints.length > 0) process.exitCode = 1;
  }

  /** Each client asks for the next when it has its answer. */
  async #send(requests: number): Promise<void> {
    let left = requests;
    const agent = new Agent({ keepAlive: true, maxSockets: this.#clients });
    const client = async () => {
      while (left-- > 0) {
        const asked = nextRequest(this.#random, this.#fields);
        const complaint = await send(this.#served.url, agent, asked);
        this.check(complaint === undefined, `${asked.path} ${asked.body}: ${complaint}`);
        this.#count(asked.fate);
        this.#count(asked.isMalformed ? 'malformed' : asked.path);
      }
    };
    await Promise.all(Array.from({ length: this.#clients }, client));
    agent.destroy();
  }

  /** Of what is no garbage, twice: what the first time has ended the second collects. */
  async #residentBytes(): Promise<number> {
    for (let times = 0; times < 2; times++) {
      await sleep(2000);
      this.#served.signal('SIGUSR2');
    }
    await sleep(2000);
    const numbers = await this.#served.numbers();
    console.log(`${mebibytes(numbers.get('nodejs_heap_size_used_bytes')!)} of JavaScript's`);
    return numbers.get('process_resident_memory_bytes')!;
  }

  /** One text gets all of them: as many positions as the model has in all. */
  async #useAllPages(): Promise<void> {
    const models = await fetch(`${this.#served.url}/v1/models`);
    const { data } = (await models.json()) as { data: [{ meta: { n_ctx: number } }] };
    const prompt = new Array(data[0].meta.n_ctx - 1).fill(300);
    const answer = await fetch(`${this.#served.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      // A stream: what takes minutes to read must not be given up by this client.
      body: JSON.stringify({ prompt, max_tokens: 1, stream: true }),
    });
    const text = await answer.text();
    const isWhole = text.endsWith('[DONE]\n\n');
    this.check(isWhole, `a text that needs all pages: ${answer.status} ${text}`);
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
