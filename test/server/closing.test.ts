/** A port that is closed waits for answers, and for nobody who has asked nothing. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { listen } from '../../src/server/index.js';

const answered = () => new Response('here it is');

it('ends with connections that were opened ahead, as browsers do, and not used', async () => {
  const listening = await listen(answered, { port: 0 });
  const silent = connect(Number(new URL(listening.url).port), '127.0.0.1');
  await once(silent, 'connect');
  await (await fetch(listening.url)).text(); // by now the silent one was taken, too
  const closed = once(silent, 'close');
  await listening.close();
  await closed;
}, 5000);

it('ends after the answer that it owes', async () => {
  let isAsked = () => {};
  const asked = new Promise<void>(resolve => {
    isAsked = resolve;
  });
  let answer = (_: Response) => {};
  const answers = new Promise<Response>(resolve => {
    answer = resolve;
  });
  const owing = () => {
    isAsked();
    return answers;
  };
  const listening = await listen(owing, { port: 0 });
  const reply = fetch(listening.url);
  await asked;
  const closed = listening.close();
  answer(answered());
  expect(await (await reply).text()).toBe('here it is');
  await closed;
});
