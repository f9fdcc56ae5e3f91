/**
 * One side of a comparison: a process that loads a model once, and then measures when it is told
 * to. All sides do the same, and only one of them at a time.
 */

/** Prompts are arbitrary, but the same for all; the first ids are special pieces and bytes. */
export function promptToken(position, vocabSize) {
  return 260 + ((position * 7919) % (vocabSize - 260));
}

export function argmax(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
}

/**
 * The prompt of one of many users: no two begin alike, so that nothing read for one serves another.
 */
export function promptOf(user, count, vocabSize) {
  return Array.from({ length: count }, (_, i) => promptToken(user + 31 * i, vocabSize));
}

/**
 * Loads with the settings of the first message, and answers every message after it with the times
 * of a round, in seconds.
 */
export async function serve(load) {
  let side;
  let settings;
  let answer = Promise.resolve();
  process.on('disconnect', () => process.exit()); // who compares is gone, or has said `close`
  process.on('message', message => {
    answer = answer.then(() => handle(message));
    answer.catch(error => {
      console.error(error);
      process.exit(1);
    });
  });

  async function handle(message) {
    if (message === 'round') {
      process.send(await (settings.users.length > 0 ? together : round)(side, settings));
      return;
    }
    if (message === 'close') {
      await side.close();
      process.disconnect();
      return;
    }
    settings = message;
    const [seconds, loaded] = await timed(() => load(settings));
    side = loaded;
    const [fill] =
      settings.context > 0 ? await timed(() => side.prefill(settings.context)) : [undefined];
    process.send({ seconds, fill, about: side.about });
  }
}

/** For so many users at once, when each of their texts had each of its tokens, in seconds. */
async function together(side, { users, prefill, decode }) {
  if (side.together === undefined) throw new Error(`${side.about}: one text at a time`);
  const times = [];
  for (const count of users) times.push(await side.together(count, { prefill, decode }));
  return { times };
}

/** With a filled context, only decoding; else also the prefill, from nothing. */
async function round(side, { context, prefill, decode }) {
  await side.truncate(context);
  const [prefillSeconds] = context > 0 ? [undefined] : await timed(() => side.prefill(prefill));
  const [decodeSeconds] = await timed(() => side.decode(260, decode));
  const peakBytes = side.peakBytes ? await side.peakBytes() : process.resourceUsage().maxRSS * 1024;
  return { prefill: prefillSeconds, decode: decodeSeconds, peakBytes };
}

async function timed(work) {
  const start = performance.now();
  const result = await work();
  return [(performance.now() - start) / 1000, result];
}
