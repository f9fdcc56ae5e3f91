/** vLLM 0.32.0's answers, field for field; those that no reader needs are left out. */
import { type Answerer, type Json, likeliestAt, logprobAt, type Reply } from './fake-server.js';

const MODELS = {
  object: 'list',
  data: [{ id: 'm', object: 'model', owned_by: 'vllm', root: 'm', max_model_len: 4096 }],
};

const entry = (position: number, id: number, rank: number) => [
  String(id),
  { logprob: logprobAt(position, id), rank, decoded_token: '?' },
];

/** Of each token of the prompt: itself, and the two likeliest in its place. */
const promptLogprobs = (prompt: readonly number[]) =>
  prompt.map((id, place) => {
    if (place === 0) return null;
    const position = place - 1;
    const likeliest = likeliestAt(position).map((top, i) => entry(position, top, i + 1));
    return Object.fromEntries([entry(position, id, 9), ...likeliest]);
  });

const named = (position: number, ids: readonly number[]) =>
  Object.fromEntries(ids.map(id => [`token_id:${id}`, logprobAt(position, id)]));

function completion({ prompt, prompt_logprobs, echo }: Json): Json {
  const last = prompt.length - 1;
  const [generated] = likeliestAt(last);
  const places = echo ? [...prompt.keys(), prompt.length] : [prompt.length];
  const idAt = (place: number) => prompt[place] ?? generated;
  const ofEach = <T>(of: (position: number, id: number) => T) =>
    places.map(place => (place === 0 ? null : of(place - 1, idAt(place))));
  const logprobs = {
    text_offset: places,
    token_logprobs: ofEach(logprobAt),
    tokens: places.map(place => `token_id:${idAt(place)}`),
    top_logprobs: ofEach((position, id) => named(position, [id, ...likeliestAt(position)])),
  };
  return {
    id: 'cmpl-9ed54cd1ea704c8f',
    object: 'text_completion',
    choices: [
      {
        index: 0,
        text: '.',
        logprobs,
        finish_reason: 'length',
        prompt_logprobs: prompt_logprobs === undefined ? null : promptLogprobs(prompt),
      },
    ],
    usage: { prompt_tokens: prompt.length, total_tokens: prompt.length + 1, completion_tokens: 1 },
  };
}

/** @param refuses the fields that it was built without */
export const vllm =
  (...refuses: string[]): Answerer =>
  ({ what, body }): Reply | undefined => {
    if (what === 'GET /v1/models') return { body: MODELS };
    if (what === 'GET /version') return { body: { version: '0.32.0' } };
    if (what !== 'POST /v1/completions') return undefined;
    const refused = refuses.find(field => field in body);
    if (refused === undefined) return { body: completion(body) };
    const error = { message: `no ${refused} here`, type: 'BadRequestError', code: 400 };
    return { status: 400, body: { error } };
  };
