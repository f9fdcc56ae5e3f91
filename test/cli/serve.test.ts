/** `llama-32k serve`: its flags, and the program with its signals. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { cli, finished, type program, programIn } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'llama-32k-serve-'));
afterAll(() => rm(folder, { recursive: true }));

const JSON_TYPE = { 'content-type': 'application/json' };
const ENDLESS = { prompt: 'Mira', seed: 1, stop_token_ids: [], stream: true };

interface Answer {
  readonly choices: unknown;
  readonly usage: { readonly prompt_tokens_details: { readonly cached_tokens: number } };
}

interface Served {
  readonly url: string;
  readonly child: ReturnType<typeof program>;
  readonly end: ReturnType<typeof finished>;
  post(body: object): Promise<Response>;
}

/** Files take a while until they are on the disk. */
const SLOW_DISK = {
  ...process.env,
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(`
    import { open } from 'node:fs/promises';
    const file = await open(process.execPath);
    const { sync } = Object.getPrototypeOf(file);
    Object.getPrototypeOf(file).sync = async function () {
      await new Promise(resolve => setTimeout(resolve, 4000));
      return sync.call(this);
    };
    await file.close();
  `)}`,
};

const serve = (...args: string[]) => serveWith(process.env, ...args);

/** The program, when it has said where it is. */
async function serveWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Served> {
  const child = programIn(env, 'serve', '--port', '0', '--threads', '1', '--json', ...args);
  const line = new Promise<string>(resolve => child.stdout.once('data', resolve));
  const end = finished(child);
  const { url } = JSON.parse(String(await Promise.race([line, end.then(({ stderr }) => stderr)])));
  const post = (body: object) =>
    fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    });
  return { url, child, end, post };
}

describe('the flags of serve', () => {
  it.each([
    [['--host', '0.0.0.0'], '--host is 0.0.0.0, which others can reach, and there is no key'],
    [['--port', '70000'], '--port is 70000; it must be an integer from 0 to 65535'],
    [['--max-running', '0'], '--max-running is 0; it must be an integer, 1 or more'],
    [['--cors-origin', 'chat.example'], '--cors-origin has "chat.example"'],
    [['--api-key', ''], '--api-key has ""'],
    [['--cache-size', '1'], '--cache-size has no effect without --cache-dir'],
    [['--cache-dir', 'x', '--cache-size', '0'], '--cache-size is 0'],
    [['--cache-dir', 'x', '--no-prefix-cache'], '--cache-dir has no effect with --no-prefix-cache'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await cli(['serve', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('name a port that is taken, and leave nothing open', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, stderr } = await cli(['serve', '--port', String(port)]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`port ${port}: `)]);
    taken.close();
  });

  it('name a file of keys that is not there, or has none', async () => {
    expect((await cli(['serve', '--api-key-file', join(folder, 'no')])).code).toBe(3);
    await writeFile(join(folder, 'empty'), '\n\n');
    expect((await cli(['serve', '--api-key-file', join(folder, 'empty')])).code).toBe(2);
  });
});

describe('the program', () => {
  it('says its port, answers under name and alias with a key, and ends at SIGTERM', async () => {
    const keys = join(folder, 'keys');
    await writeFile(keys, 'one\n two \n');
    const args = ['--host', '0.0.0.0', '--api-key-file', keys, '--alias', 'gpt'];
    const { url, child, end, post } = await serve(...args);
    expect((await post({ prompt: 'x' })).status).toBe(401);
    const headers = { authorization: 'Bearer two' };
    const port = new URL(url).port;
    const models = await fetch(`http://127.0.0.1:${port}/v1/models`, { headers });
    const { data } = (await models.json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['tiny-32k', 'gpt']);
    child.kill('SIGTERM');
    const { code, stdout } = await end;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      url,
      model: 'tiny-32k',
      system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{12}$/),
    });
  });

  it('drains at the first signal, and ends at once at the second', async () => {
    const { url, child, end, post } = await serve();
    const stream = text((await post(ENDLESS)).body!);
    child.kill('SIGTERM');
    await sleep(300);
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await stream).toContain('"code":"shutting_down"');
    expect((await end).code).toBe(143);
  });

  it('ends with the last answer, though a client keeps its connection', async () => {
    const { child, end, post } = await serve();
    const answer = post({ prompt: 'Mira', seed: 1, max_tokens: 50 });
    await sleep(100);
    child.kill('SIGTERM');
    expect((await answer).status).toBe(200);
    const started = performance.now();
    expect((await end).code).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('reads nothing again that it read before it was started anew, with --cache-dir', async () => {
    const body = { prompt: 'Mira found a key. '.repeat(40), seed: 1, max_tokens: 20 };
    const askOnce = async (...args: string[]) => {
      const { child, end, post } = await serve(...args);
      const answer = (await (await post(body)).json()) as Answer;
      child.kill('SIGTERM');
      expect((await end).code).toBe(0);
      return {
        choices: answer.choices,
        cached: answer.usage.prompt_tokens_details.cached_tokens,
      };
    };
    const disk = ['--cache-dir', join(folder, 'prefixes'), '--cache-size', '0.1'];
    const first = await askOnce(...disk);
    const again = await askOnce(...disk);
    const plain = await askOnce('--no-prefix-cache', '--lookup', 'off');
    expect([first.cached, plain.cached]).toEqual([0, 0]);
    expect(again.cached).toBeGreaterThanOrEqual(64);
    expect(again.choices).toEqual(first.choices);
    expect(plain.choices).toEqual(first.choices);
  });

  it('leaves nothing half at a second signal or a kill, however slow the disk is', async () => {
    const directory = join(folder, 'slow');
    const disk = ['--cache-dir', directory];
    const body = { prompt: 'Tom had a red lantern. '.repeat(40), seed: 1, max_tokens: 20 };
    const endSlowly = async (...signals: NodeJS.Signals[]) => {
      const { child, end, post } = await serveWith(SLOW_DISK, ...disk);
      const found = await readdir(directory).catch(() => []);
      const { choices } = (await (await post(body)).json()) as Answer;
      for (const signal of signals) {
        await sleep(300);
        child.kill(signal);
      }
      return { found, choices, ...(await end) };
    };
    const killed = await endSlowly('SIGKILL');
    expect(await readdir(directory)).toEqual([expect.stringMatching(/^\.partial-/)]);
    const twice = await endSlowly('SIGTERM', 'SIGTERM');
    expect(twice).toMatchObject({ found: [], code: 143, choices: killed.choices });
    expect(twice.stderr).not.toContain('not kept');
    const { url, child, end, post } = await serve(...disk);
    expect((await readdir(directory)).filter(name => !name.endsWith('.pages'))).toEqual([]);
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    const { choices } = (await (await post(body)).json()) as Answer;
    expect(choices).toEqual(killed.choices);
    child.kill('SIGTERM');
    expect((await end).code).toBe(0);
  }, 120_000);

  it('gives up draining after --shutdown-timeout', async () => {
    const { child, end, post } = await serve('--shutdown-timeout', '0.2');
    const stream = text((await post(ENDLESS)).body!);
    child.kill('SIGINT');
    expect(await stream).toContain('"code":"shutting_down"');
    const { code, stderr } = await end;
    expect(code).toBe(130);
    expect(stderr).toContain('not all was written after 0.2 seconds');
  });

  it('stops computing for a socket that breaks', async () => {
    const { url, child, end } = await serve();
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname);
    const body = JSON.stringify(ENDLESS);
    socket.write(
      `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    await new Promise(resolve => socket.once('data', resolve));
    socket.destroy();
    const running = async () => {
      const numbers = await (await fetch(`${url}/metrics`)).text();
      return Number(/^l32k_requests_running\{[^}]*\} (\d+)$/m.exec(numbers)?.[1]);
    };
    for (let i = 0; i < 100 && (await running()) > 0; i++) await sleep(20);
    expect(await running()).toBe(0);
    child.kill('SIGTERM');
    expect((await end).stderr).toContain('"cancelled":true');
  });

  it('answers what is not HTTP with JSON', async () => {
    const { url, child, end } = await serve();
    const { port, hostname } = new URL(url);
    for (const bytes of [
      'nonsense\r\n\r\n',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
    ]) {
      const socket = connect(Number(port), hostname);
      socket.write(bytes);
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(JSON.parse(answer.split('\r\n\r\n')[1]).error.type).toBe('invalid_request_error');
    }
    child.kill('SIGTERM');
    await end;
  });
});
