/**
 * One token at a time, for servers that tell only of what they generate: the text up to a place is
 * the prompt, and one token is generated.
 */
import { check } from '../../base/errors.js';
import { Collector } from './collector.js';
import { addGenerated } from './generated.js';
import { at, numberAt } from './json-path.js';
import { MOST_SINGLE, spreadPositions } from './positions.js';
import { singleNote } from './single-note.js';
import type { Way } from './way.js';

export const oneByOne: Way = async (question, completions) => {
  const { server, tokens, topLogprobs, onProgress } = question;
  const positions = question.positions ?? spreadPositions(tokens.length, MOST_SINGLE);
  const collector = new Collector(question.tokenOf);
  const left = { without: 0, otherwise: 0 };
  let isLonger = false;
  for (const [done, position] of positions.entries()) {
    onProgress?.(done, positions.length);
    const prompt = tokens.slice(0, position + 1);
    const fields = { max_tokens: 1, temperature: 0, logprobs: topLogprobs };
    const answer = await completions.ask(prompt, fields);
    const read = numberAt(answer, 'usage', 'prompt_tokens') ?? prompt.length;
    isLonger ||= read === prompt.length + 1;
    if (answer === undefined || read < prompt.length || read > prompt.length + 1)
      left.otherwise += 1;
    else if (!addGenerated(collector, position, at(answer, 'choices', 0))) left.without += 1;
  }
  onProgress?.(positions.length, positions.length);
  if (left.without === positions.length) return undefined;
  check(!collector.losesBlanks(), 'ENDPOINT_FAILED', () => {
    return (
      `${server.engine} names tokens without their blanks, so that which they are cannot be ` +
      'told; it should answer with token ids'
    );
  });
  const notes = [...singleNote(question, positions.length), ...completions.notes()];
  if (isLonger) notes.push('it puts a token in front of the text, BOS probably');
  if (left.otherwise > 0)
    notes.push(`left out: positions up to which it reads other tokens: ${left.otherwise}`);
  if (left.without > 0)
    notes.push(`left out: positions of which it gave no log-probabilities: ${left.without}`);
  return { scores: collector.scores(positions), notes: [...notes, ...collector.notes()] };
};
