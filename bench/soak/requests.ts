/** Requests in random mixtures: of everything that there is, in short. */
import type { Random } from './random.js';

/** What becomes of the client: it may go away at three moments. */
export type Fate = 'stays' | 'leaves in its body' | 'leaves at once' | 'leaves in the answer';

export interface SoakRequest {
  readonly path: string;
  /** Undefined: GET. */
  readonly body: string | undefined;
  readonly isMalformed: boolean;
  readonly fate: Fate;
}

const MALFORMED = 0.05;
const VANISHING = 0.05;
const LEAVING: readonly Fate[] = ['leaves in its body', 'leaves at once', 'leaves in the answer'];

type Json = Record<string, unknown>;

export function nextRequest(random: Random, fields: ReadonlySet<string>): SoakRequest {
  const [path, body] = random.of(KINDS)(random, fields);
  const isMalformed = body !== undefined && random.happens(MALFORMED);
  const fate = random.happens(VANISHING) ? random.of(LEAVING) : 'stays';
  const text = body && (isMalformed ? spoil(random, body) : JSON.stringify(body));
  return { path, body: text, isMalformed, fate };
}

const TEXTS = [
  'Mira had a lantern',
  'What are the opposites of loud and clean?',
  'Write: É É É',
  'Once upon a time there was a small house at the end of the road, and in it',
  '1, 2, 3,',
];

type Kind = (random: Random, fields: ReadonlySet<string>) => [path: string, body?: Json];

const completion: Kind = random => {
  const echo = random.happens(0.25);
  const logprobs = random.happens(0.3) ? random.below(6) : undefined;
  const prompts = [random.of(TEXTS), [random.of(TEXTS), random.of(TEXTS)], [1, 5, 9, 300]];
  return [
    '/v1/completions',
    {
      prompt: random.of<unknown>(prompts),
      ...sampling(random),
      stream: !(echo && logprobs !== undefined) && random.happens(0.5),
      ...(echo && { echo }),
      ...(logprobs !== undefined && { logprobs }),
      max_tokens: random.below(24) + (echo ? 0 : 1),
    },
  ];
};

const SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 8 }, count: { enum: [1, 2, 3] } },
  required: ['name', 'count'],
  additionalProperties: false,
};

const chat: Kind = (random, fields) => {
  const isJson = fields.has('response_format') && random.happens(0.3);
  const response_format = { type: 'json_schema', json_schema: { name: 'x', schema: SCHEMA } };
  return [
    '/v1/chat/completions',
    {
      messages: [{ role: 'user', content: random.of(TEXTS) }],
      ...sampling(random),
      stream: random.happens(0.5),
      ...(random.happens(0.3) && { logprobs: true, top_logprobs: random.below(5) }),
      ...(isJson && { response_format }),
      max_tokens: 1 + random.below(24),
    },
  ];
};

function sampling(random: Random): Json {
  const isGreedy = random.happens(0.4);
  return {
    temperature: isGreedy ? 0 : 1,
    ...(!isGreedy && { seed: random.below(1000), top_p: 0.9 }),
    ...(random.happens(0.2) && { n: 1 + random.below(4) }),
    ...(random.happens(0.2) && { stop: ['.', 'the'] }),
    ...(random.happens(0.2) && { presence_penalty: 0.5, logit_bias: { 300: -5 } }),
  };
}

/** Nothing is computed for most of these; two in five requests are one. */
const SMALL: readonly [path: string, body?: Json][] = [
  ['/tokenize', { content: TEXTS[1], with_pieces: true }],
  ['/detokenize', { tokens: [1, 5, 9, 300] }],
  ['/apply-template', { messages: [{ role: 'user', content: TEXTS[0] }] }],
  ['/v1/trace', { tokens: [1, 5, 9], names: ['lm_head'], positions: [-1] }],
  ['/v1/models'],
  ['/health'],
  ['/ready'],
  ['/version'],
  ['/metrics'],
  ['/openapi.json'],
  ['/'],
];

const small: Kind = random => random.of(SMALL);

const KINDS: readonly Kind[] = [completion, completion, chat, chat, small];

/** No longer what may be asked, in one of several ways. */
function spoil(random: Random, body: Json): string {
  const text = JSON.stringify(body);
  const ways = [
    text.slice(0, -1),
    `${text}x`,
    JSON.stringify({ ...body, no_such_field: 1 }),
    JSON.stringify({ ...body, model: 'no such model' }),
    JSON.stringify([body]),
    '',
  ];
  return random.of(ways);
}
