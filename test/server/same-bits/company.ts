/** Requests in each other's company, and what each of them is told. */
import type { LlamaServer } from '../../../src/server/index.js';
import { Client, type Json } from '../support.js';
import type { Asked } from './requests.js';

const PATH = '/v1/completions';

/**
 * What `server` tells each of `requests`, but for what it costs. They come in the order of their
 * numbers in `order`, each when one of `concurrency` places is free.
 */
export async function answersOf(
  server: LlamaServer,
  requests: readonly Asked[],
  order: readonly number[],
  concurrency: number,
): Promise<Json[]> {
  const client = new Client(server);
  const answers: Json[] = [];
  const left = [...order];
  const place = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      answers[next] = await answerOf(client, requests[next]);
  };
  await Promise.all(Array.from({ length: concurrency }, place));
  return answers;
}

/** The choices of the answer, or of each event that was read of it. */
function answerOf(client: Client, { body, leavesAfter, milliseconds }: Asked): Promise<Json> {
  if (milliseconds !== undefined) return giveUp(client, body, milliseconds);
  if (leavesAfter !== undefined) return beginningOf(client, body, leavesAfter);
  return client.ask(PATH, body).then(({ choices }) => choices);
}

async function beginningOf(client: Client, body: Json, events: number): Promise<Json[]> {
  const told: string[] = [];
  const response = await client.post(PATH, body);
  // Each event is a part: none is made before somebody reads it.
  for await (const event of response.body!.pipeThrough(new TextDecoderStream())) {
    if (event.startsWith('data: {')) told.push(event);
    if (told.length >= events) break; // which cancels the answer
  }
  return told.map(event => JSON.parse(event.slice('data: '.length)).choices);
}

async function giveUp(client: Client, body: Json, milliseconds: number): Promise<Json> {
  const signal = AbortSignal.timeout(milliseconds);
  const response = await client.post(PATH, body, { signal });
  await response.text();
  return {};
}
