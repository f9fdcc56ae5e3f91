/**
 * llama.cpp's own server: one token at a time, which reads only what is new of the text, since the
 * prompts are each other's beginnings. The numbers are a softmax of the logits in float32, before
 * any sampling. (ggml-org/llama.cpp, tools/server/README.md and server-common.cpp)
 */
import { check } from '../../base/errors.js';
import { Collector } from './collector.js';
import { addDescribed } from './generated.js';
import { at, numberAt } from './json-path.js';
import { MOST_SINGLE, spreadPositions } from './positions.js';
import { singleNote } from './single-note.js';
import type { Way } from './way.js';

export const llamaCpp: Way = async question => {
  const { connection, server, tokens, topLogprobs, onProgress } = question;
  const positions = question.positions ?? spreadPositions(tokens.length, MOST_SINGLE);
  const collector = new Collector(question.tokenOf);
  for (const [done, position] of positions.entries()) {
    onProgress?.(done, positions.length);
    const answer = await connection.post('/completion', {
      prompt: tokens.slice(0, position + 1),
      n_predict: 1,
      n_probs: topLogprobs,
      post_sampling_probs: false,
      temperature: 0,
      cache_prompt: true,
      response_fields: FIELDS,
    });
    const described = at(answer, 'completion_probabilities', 0);
    check(at(described, 'top_logprobs') !== undefined, 'ENDPOINT_FAILED', () => {
      return (
        `${server.engine} answers without completion_probabilities[0].top_logprobs, which ` +
        'llama.cpp has since December 2024; take a newer one'
      );
    });
    const read = numberAt(answer, 'tokens_evaluated');
    check(read === position + 1 && at(answer, 'truncated') !== true, 'ENDPOINT_FAILED', () => {
      return (
        `${server.engine} was sent ${position + 1} tokens and read ${read}; ` +
        'give it a larger context (-c)'
      );
    });
    addDescribed(collector, position, described);
  }
  onProgress?.(positions.length, positions.length);
  const notes = [...singleNote(question, positions.length), ...collector.notes()];
  return { scores: collector.scores(positions), notes };
};

const FIELDS = ['completion_probabilities', 'tokens_evaluated', 'truncated'];
