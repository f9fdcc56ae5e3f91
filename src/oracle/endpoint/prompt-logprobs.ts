/**
 * vLLM's `prompt_logprobs`: of every place of the text in one request, by token id.
 * (vllm/entrypoints/openai/completion/protocol.py)
 */
import { check, LlamaError } from '../../base/errors.js';
import { Collector } from './collector.js';
import { addGenerated } from './generated.js';
import { at, listAt } from './json-path.js';
import { allPositions } from './positions.js';
import type { Way } from './way.js';

export const promptLogprobs: Way = async question => {
  const { connection, server, tokens, topLogprobs } = question;
  const positions = question.positions ?? allPositions(tokens.length);
  const prompt = tokens.slice(0, positions.at(-1)! + 1);
  const answer = await connection.post('/v1/completions', {
    model: server.modelName,
    prompt,
    max_tokens: 1,
    temperature: 0,
    logprobs: topLogprobs,
    prompt_logprobs: topLogprobs,
    return_tokens_as_token_ids: true,
  });
  const choice = at(answer, 'choices', 0);
  const rows = listAt(choice, 'prompt_logprobs');
  if (rows === undefined) return undefined;
  check(rows.length === prompt.length, 'ENDPOINT_FAILED', () => {
    return (
      `${server.engine} was sent ${prompt.length} tokens and answers of ${rows.length}; ` +
      'start it without what changes prompts'
    );
  });
  const collector = new Collector(question.tokenOf);
  for (const [place, row] of rows.entries()) {
    if (place === 0) continue; // nothing is before the first token
    if (at(row, String(prompt[place])) === undefined) throw readsOthers(server.engine, place);
    for (const [id, entry] of Object.entries(row as object))
      collector.add(place - 1, Number(id), at(entry, 'logprob'));
  }
  addGenerated(collector, prompt.length - 1, choice);
  return { scores: collector.scores(positions), notes: collector.notes() };
};

const readsOthers = (engine: string, place: number) =>
  new LlamaError(
    'ENDPOINT_FAILED',
    `${engine} answers of another token than the one that was sent at position ${place}; ` +
      'start it without what changes prompts',
  );
