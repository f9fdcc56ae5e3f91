/** A server on the embedded model, behind a port, for the official clients. */
import { afterAll } from 'vitest';
import { listen } from '../../src/server/index.js';
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

export interface Running {
  readonly url: string;
  readonly lines: Lines;
  /** How many texts are being computed. */
  running(): Promise<number>;
}

/** It is closed when the tests of the file have ended. */
export async function startServer(): Promise<Running> {
  const lines = new Lines();
  const server = serverWith({ apiKey: [KEY], log: lines });
  const listening = await listen(server.fetch, { port: 0 });
  afterAll(async () => {
    await server.close();
    listening.closeAtOnce();
    await loaded.close();
  });
  return {
    url: listening.url,
    lines,
    async running() {
      const headers = { authorization: `Bearer ${KEY}` };
      const text = await (await fetch(`${listening.url}/metrics`, { headers })).text();
      return Number(/^l32k_requests_running\{[^}]*\} (\d+)$/m.exec(text)?.[1]);
    },
  };
}

/** Waits until no text is computed any more; fails after a while. */
export async function idle(server: Running): Promise<void> {
  for (let i = 0; (await server.running()) > 0; i++) {
    if (i === 100) throw new Error('the computation goes on');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
