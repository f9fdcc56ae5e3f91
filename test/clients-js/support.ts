/** A server on the embedded model, behind a port, for the official clients. */
import { afterAll } from 'vitest';
import { Llama } from '../../src/model/llama.js';
import { listen, type ServerSettings } from '../../src/server/index.js';
import { Lines, loaded, serverWith } from '../server/support.js';

export const MODEL = 'tiny-32k';
export const KEY = 'a-key';
export const QUESTION = 'What are the opposites of loud and clean?';
export const ANSWER = 'They are quiet and dirty.';
/** With the model's prompt around the question, and with the end of the answer. */
export const [PROMPT_TOKENS, ANSWER_TOKENS] = [22, 9];

/** An invented person, as the model's world has them. */
export const SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 12 }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
} as const;

const headers = { authorization: `Bearer ${KEY}` };

/** As the last thing: hooks are called from the last to the first. */
afterAll(() => loaded.close());

export interface Running {
  readonly url: string;
  readonly lines: Lines;
  /** How many texts are being computed. */
  running(): Promise<number>;
}

/** It is closed when the tests of the file have ended. */
export async function startServer(settings: Partial<ServerSettings> = {}): Promise<Running> {
  const lines = new Lines();
  const server = serverWith({ apiKey: [KEY], log: lines, ...settings });
  const listening = await listen(server.fetch, { port: 0 });
  afterAll(async () => {
    await server.close();
    listening.closeAtOnce();
  });
  return {
    url: listening.url,
    lines,
    async running() {
      const text = await (await fetch(`${listening.url}/metrics`, { headers })).text();
      return Number(/^l32k_requests_running\{[^}]*\} (\d+)$/m.exec(text)?.[1]);
    },
  };
}

class FailingModel extends Llama {
  override forwardBatch(): Promise<never> {
    return Promise.reject(new Error('boom'));
  }
}

/** One whose model fails in every pass. */
export const startFailing = (): Promise<Running> =>
  startServer({ model: new FailingModel(loaded.model.config, loaded.model.engine) });

/** One that takes a single text at a time, and is writing one that has no end. */
export async function startBusy(): Promise<Running> {
  const server = await startServer({ maxRunning: 1, maxQueue: 0 });
  const body = JSON.stringify({ prompt: 'Mira', seed: 1, stop_token_ids: [], stream: true });
  const type = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers: { ...headers, ...type }, body };
  const { body: stream } = await fetch(`${server.url}/v1/completions`, init);
  const reader = stream!.getReader();
  await reader.read();
  afterAll(() => reader.cancel());
  return server;
}

/** Waits until no text is computed any more; fails after a while. */
export async function idle(server: Running): Promise<void> {
  for (let i = 0; (await server.running()) > 0; i++) {
    if (i === 100) throw new Error('the computation goes on');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
