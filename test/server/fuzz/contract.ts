/** What every answer keeps to, whatever was asked. */
import { expect } from 'vitest';
import { checkedAnswer, checkedError } from '../answers.js';
import { eventsIn, type Json } from '../support.js';
import type { Sent } from './requests.js';

/** A message shows what was wrong, and is no copy of it. */
const LONGEST_MESSAGE = 1000;
const SECONDS = 30;

/** `answer`, if it comes in time. */
export async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error(`no answer in ${SECONDS} seconds`));
    timer = setTimeout(fail, SECONDS * 1000);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** 2xx or 4xx, JSON or what was asked for, complete, and with an id. */
export async function checkAnswer(response: Response, { method, path }: Sent): Promise<void> {
  const text = await response.text();
  const { status, headers } = response;
  expect(headers.get('x-request-id')).toMatch(/^[\w.:-]{1,128}$/);
  const isGood = status >= 200 && status < 300;
  expect(isGood || (status >= 400 && status < 500), `${status} ${text}`).toBe(true);
  const type = headers.get('content-type');
  if (!isGood) expect(type).toBe('application/json');
  if (method === 'HEAD') expect(text).toBe('');
  else if (!isGood) checkError(JSON.parse(text));
  else if (type === 'application/json') checkedAnswer(method, path, type, JSON.parse(text));
  else if (type?.startsWith('text/event-stream')) checkEvents(text, path);
}

export function checkError(answer: Json): void {
  const { error } = checkedError(answer);
  for (const name of ['message', 'code']) expect(error[name]).toMatch(/./);
  expect(error.message.length).toBeLessThan(LONGEST_MESSAGE);
  expect(error.message).not.toMatch(/native code|\[object Object\]/);
}

/** Complete: [DONE] is at the end, or an error. */
function checkEvents(text: string, path: string): void {
  const failed = text.split('\n\n').at(-2)?.startsWith('data: {"error"');
  const events = eventsIn(failed ? `${text}data: [DONE]\n\n` : text);
  for (const event of events) checkEvent(event, path);
}

/** What only shows when tokens are chosen comes as an event, behind a status that says 200. */
function checkEvent(event: Json, path: string): void {
  if (event.error === undefined) checkedAnswer('POST', path, 'text/event-stream', event);
  else {
    checkError(event);
    expect(event.error.type).toBe('invalid_request_error');
  }
}
