import { describe, expect, it } from 'vitest';
import { askEndpoint } from '../../../src/oracle/endpoint/ask.js';
import {
  type Answerer,
  FakeServer,
  type Json,
  likeliestAt,
  logprobAt,
  nameOf,
  refusal,
  scoresAt,
  TEXTS,
} from './fake-server.js';

const TOKENS = [1, 40, 50, 60, 70];
const COMPLETIONS = 'POST /v1/completions';
const BOS = TOKENS[0];

/** How a server differs from OpenAI's, and how it reads what it is sent. */
interface Ways {
  readonly takes?: 'ids' | 'texts';
  /** What it makes of what it was sent; BOS in front of a text. */
  readonly reads?: (sent: readonly number[]) => readonly number[];
  /** llama-cpp-python leaves BOS out of its answer. */
  readonly tellsBos?: boolean;
  readonly tellsLikeliest?: boolean;
  readonly echoes?: boolean;
  readonly name?: (id: number) => string;
  readonly tokenizer?: string | undefined;
  readonly isStrict?: boolean;
  /** `owned_by` of its model. */
  readonly owner?: string;
}

const idsOf = (text: string): number[] => [
  BOS,
  ...[...text.matchAll(/t(\d+)/g)].map(([, id]) => +id),
];

/** As OpenAI documents it for /v1/completions. */
const server =
  (ways: Ways = {}): Answerer =>
  ({ what, body }) => {
    if (what === 'GET /v1/models')
      return { body: { data: [{ id: 'm', owned_by: ways.owner ?? 'us' }] } };
    if (what === `POST ${ways.tokenizer}`)
      return { body: { tokens: idsOf(body.input ?? body.prompt) } };
    if (what !== COMPLETIONS) return undefined;
    const { prompt } = body;
    const isText = typeof prompt === 'string';
    const unknown = ways.isStrict && 'return_tokens_as_token_ids' in body;
    if (unknown || (ways.takes && (ways.takes === 'texts') !== isText))
      return { status: 422, body: { detail: [{ msg: 'Input should be valid' }] } };
    return { body: completion(body, isText ? idsOf(prompt) : prompt, ways) };
  };

function completion({ echo }: Json, sent: readonly number[], ways: Ways): Json {
  const { reads = ids => ids, tellsBos = true, tellsLikeliest = true, echoes = true } = ways;
  const { name = nameOf } = ways;
  const read = reads(sent);
  const all = [...read, likeliestAt(sent.length - 1)[0]];
  const from = echo && echoes ? (tellsBos ? 0 : 1) : read.length;
  const places = all.map((_, place) => place).slice(from);
  // places as the tokens that were sent have them
  const position = (place: number) => place - 1 + sent.length - read.length;
  const top = (place: number) =>
    Object.fromEntries(
      [all[place], ...likeliestAt(position(place))].map(id => [
        name(id),
        logprobAt(position(place), id),
      ]),
    );
  const ofEach = <T>(of: (place: number) => T) =>
    places.map((place, i) => (i === 0 && echo && echoes ? null : of(place)));
  const logprobs = {
    tokens: places.map(place => name(all[place])),
    token_logprobs: ofEach(place => logprobAt(position(place), all[place])),
    top_logprobs: tellsLikeliest ? ofEach(top) : null,
    text_offset: places,
  };
  return {
    choices: [{ index: 0, text: '', logprobs, finish_reason: 'length' }],
    usage: { prompt_tokens: read.length, completion_tokens: 1, total_tokens: read.length + 1 },
  };
}

const all = TOKENS.map((_, position) => scoresAt(TOKENS, position));
const last = TOKENS.length - 1;
const PREFIXES = TOKENS.map((_, position) => scoresAt(TOKENS.slice(0, position + 1), position));

describe('echo', () => {
  it('tells of all places in one request, and of the last by what is generated', async () => {
    await using fake = await FakeServer.start(server());
    const { engine, scores, notes } = await askEndpoint(fake.url, TOKENS, TEXTS);
    expect(engine).toBe(`a server at ${fake.url}`);
    expect(scores).toEqual(all);
    expect(notes).toEqual([]);
    const fields = { model: 'm', prompt: TOKENS, max_tokens: 1, echo: true, logprobs: 20 };
    expect(fake.bodies(COMPLETIONS)).toMatchObject([fields]);
  });

  it.each<[string, Ways]>([
    ['minds fields that it does not know', { isStrict: true }],
    ['names tokens by their ids', { name: id => `token_id:${id}` }],
  ])('of a server that %s', async (_, ways) => {
    await using fake = await FakeServer.start(server(ways));
    const { scores, notes } = await askEndpoint(fake.url, TOKENS, TEXTS);
    expect(scores).toEqual(all);
    expect(notes).toEqual([]);
  });

  it('leaves out tokens whose names are of several, and says so', async () => {
    const name = (id: number) => (id === 101 ? '?' : nameOf(id));
    await using fake = await FakeServer.start(server({ name }));
    const { scores, notes } = await askEndpoint(fake.url, TOKENS, TEXTS);
    expect(scores[2]).toEqual(all[2]);
    expect([...scores[0].logprobs.keys()]).toEqual([40, 100]);
    expect(notes).toEqual([expect.stringMatching(/^left out: tokens .* 1 names, such as "\?"$/)]);
  });

  it("takes only the text's own tokens where that is all, or names have lost blanks", async () => {
    const own = all.slice(0, last).map(({ position, logprobs }) => {
      const next = TOKENS[position + 1];
      return { position, logprobs: new Map([[next, logprobs.get(next)]]) };
    });
    await using few = await FakeServer.start(server({ tellsLikeliest: false }));
    const { scores } = await askEndpoint(few.url, TOKENS, TEXTS);
    expect(scores.slice(0, last)).toEqual(own);
    await using stripped = await FakeServer.start(server({ name: id => `t${id}` }));
    // "t40" is a token too, another than " t40"
    const tokenOf = (piece: string) => (/^t\d/.test(piece) ? 300 : TEXTS.tokenOf(piece));
    const asked = await askEndpoint(stripped.url, TOKENS, { ...TEXTS, tokenOf });
    expect(asked.scores).toEqual(own);
    expect(asked.notes).toEqual([expect.stringContaining('without their blanks')]);
  });

  it('finds its place where BOS is left out of the answer, or is added to the text', async () => {
    await using without = await FakeServer.start(server({ tellsBos: false }));
    const left = await askEndpoint(without.url, TOKENS, TEXTS);
    expect(left.scores).toEqual(all.slice(1)); // of the first that it tells it says nothing
    await using twice = await FakeServer.start(server({ reads: ids => [BOS, ...ids] }));
    const added = await askEndpoint(twice.url, TOKENS, TEXTS);
    expect(added.scores).toEqual(all);
    expect(added.notes).toEqual(['it puts a token in front of the text, BOS probably']);
  });

  it('of llama-cpp-python is believed if it drops BOS: otherwise it is a row off', async () => {
    const owner = 'me';
    await using right = await FakeServer.start(server({ owner, tellsBos: false }));
    const { engine, scores } = await askEndpoint(right.url, TOKENS, TEXTS);
    expect(engine).toBe(`llama-cpp-python at ${right.url}`);
    expect(scores).toEqual(all.slice(1));
    await using wrong = await FakeServer.start(server({ owner }));
    expect((await askEndpoint(wrong.url, TOKENS, TEXTS)).scores).toEqual(PREFIXES);
  });

  it('of other tokens than were sent is an error', async () => {
    const reads = (ids: readonly number[]) => ids.with(2, 51);
    await using fake = await FakeServer.start(server({ reads }));
    await expect(askEndpoint(fake.url, TOKENS, TEXTS)).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', 'other tokens', 'at 2 " t51"', 'same tokenizer?'),
    );
  });
});

describe('a server that takes only texts', () => {
  it.each(['/extras/tokenize', '/tokenize', undefined])(
    'is given the text that %s reads as these tokens',
    async tokenizer => {
      await using fake = await FakeServer.start(server({ takes: 'texts', tokenizer }));
      const { scores, notes } = await askEndpoint(fake.url, TOKENS, TEXTS);
      expect(scores).toEqual(all);
      expect(fake.bodies(COMPLETIONS).at(-1)).toMatchObject({ prompt: ' t40 t50 t60 t70' });
      const unchecked = tokenizer === undefined ? ', which it cannot be asked to tokenize' : '';
      expect(notes).toEqual([`it takes no token ids: it was given their text${unchecked}`]);
    },
  );

  it('is not asked about tokens without a text, or that it reads otherwise', async () => {
    await using fake = await FakeServer.start(
      server({ takes: 'texts', tokenizer: '/extras/tokenize' }),
    );
    for (const textOf of [() => undefined, () => ' t40 t50 t61 t70']) {
      const asking = askEndpoint(fake.url, TOKENS, { ...TEXTS, textOf });
      await expect(asking).rejects.toMatchObject(
        refusal('ENDPOINT_FAILED', 'HTTP 422', 'nor is there a text'),
      );
    }
    expect(fake.bodies(COMPLETIONS).filter(({ prompt }) => typeof prompt === 'string')).toEqual([]);
  });
});

describe('a server that does not echo', () => {
  it('and takes only texts is asked where there is one', async () => {
    await using fake = await FakeServer.start(asking =>
      asking.body?.echo
        ? { status: 400, body: { error: 'echo is not supported' } }
        : server({ takes: 'texts', tokenizer: '/tokenize' })(asking),
    );
    const { scores, notes } = await askEndpoint(fake.url, TOKENS, TEXTS);
    expect(scores).toEqual(PREFIXES.slice(1)); // BOS alone is no text
    expect(notes.slice(1)).toEqual([
      'it takes no token ids: it was given their text',
      'left out: positions up to which it reads other tokens: 1',
    ]);
  });

  it('is asked for one token at a time', async () => {
    await using fake = await FakeServer.start(server({ echoes: false }));
    const { scores } = await askEndpoint(fake.url, TOKENS, TEXTS);
    expect(scores).toEqual(PREFIXES);
    const prompts = fake.bodies(COMPLETIONS).map(({ prompt }) => prompt.length);
    expect(prompts).toEqual([5, 1, 2, 3, 4, 5]);
  });

  it('is asked at the positions whose text it reads as these tokens, and says so', async () => {
    const reads = (ids: readonly number[]) => (ids.length === 3 ? [...ids, 9, 9] : ids);
    await using fake = await FakeServer.start(server({ echoes: false, reads }));
    const { scores, notes } = await askEndpoint(fake.url, TOKENS, TEXTS);
    expect(scores).toEqual(PREFIXES.filter(({ position }) => position !== 2));
    expect(notes).toEqual(['left out: positions up to which it reads other tokens: 1']);
  });

  it('and puts BOS in front has a note', async () => {
    await using fake = await FakeServer.start(
      server({ echoes: false, reads: ids => [BOS, ...ids] }),
    );
    const { notes } = await askEndpoint(fake.url, TOKENS, TEXTS);
    expect(notes).toEqual(['it puts a token in front of the text, BOS probably']);
  });

  it('and names tokens without blanks is refused: it cannot be told which they are', async () => {
    const name = (id: number) => `t${id}`;
    await using fake = await FakeServer.start(server({ echoes: false, name }));
    const text = Array.from({ length: 30 }, (_, i) => i);
    const tokenOf = (piece: string) => (/^ ?t\d/.test(piece) ? 300 : undefined);
    await expect(askEndpoint(fake.url, text, { ...TEXTS, tokenOf })).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', 'without their blanks', 'token ids'),
    );
  });

  it('and gives no log-probabilities is refused', async () => {
    await using fake = await FakeServer.start(({ what }) => {
      if (what !== COMPLETIONS) return undefined;
      return { body: { choices: [{ index: 0, text: 'x', logprobs: null }] } };
    });
    await expect(askEndpoint(fake.url, TOKENS, TEXTS)).rejects.toMatchObject(
      refusal('ENDPOINT_FAILED', 'a server at http', 'without log-probabilities', 'file'),
    );
  });
});
