/**
 * `echo` of OpenAI's completions: the text comes back with the log-probabilities of its own tokens
 * and of the likeliest, every place in one request.
 */
import { LlamaError, show } from '../../base/errors.js';
import { Collector } from './collector.js';
import { addLikeliest, addListed } from './generated.js';
import { at, listAt } from './json-path.js';
import { allPositions } from './positions.js';
import type { Way } from './way.js';

/** How an entry's place in the answer differs from its token's in the text. */
type Shift = 0 | 1 | -1;

export const echo: Way = async (question, completions) => {
  const { server, tokens, topLogprobs } = question;
  const positions = question.positions ?? allPositions(tokens.length);
  const prompt = tokens.slice(0, positions.at(-1)! + 1);
  const fields = { max_tokens: 1, temperature: 0, echo: true, logprobs: topLogprobs };
  const answer = await completions.ask(prompt, fields);
  const logprobs = at(answer, 'choices', 0, 'logprobs');
  const names = listAt(logprobs, 'tokens')?.map(String);
  if (names === undefined || isOnlyGenerated(names, prompt)) return undefined;

  const collector = new Collector(question.tokenOf);
  const shift = shiftOf(collector, names, prompt, server.engine);
  // llama-cpp-python, unless it drops BOS, gives each token the numbers of the one behind it
  // (llama_cpp/llama.py, `all_logprobs`, in 0.3.36)
  if (server.kind === 'llama-cpp-python' && shift !== 1) return undefined;
  const isLossy = losesBlanks(collector, names, prompt, shift);
  for (const index of names.keys()) {
    const place = index + shift;
    const own = at(logprobs, 'token_logprobs', index);
    const isFirst = index === 0 && own === null;
    if (place < 1 || isFirst) continue; // nothing is before the first token
    if (place === prompt.length) {
      if (!isLossy) addListed(collector, place - 1, logprobs, index);
      continue;
    }
    collector.add(place - 1, prompt[place], own);
    if (!isLossy) addLikeliest(collector, place - 1, logprobs, index);
  }
  const notes = [...completions.notes(), ...collector.notes()];
  if (isLossy) notes.push(LOSSY);
  if (shift === -1) notes.push('it puts a token in front of the text, BOS probably');
  return { scores: collector.scores(positions), notes };
};

const LOSSY =
  'it names tokens without their blanks, so that which they are cannot be told: only the ' +
  "log-probabilities of the text's own tokens are used";

/** Some servers take no notice of `echo`. */
const isOnlyGenerated = (names: readonly string[], prompt: readonly number[]): boolean =>
  names.length <= 1 && prompt.length > 1;

/**
 * 1 if BOS is left out of the answer, -1 if the server puts it in front of the text. Behind the
 * text comes a token that was generated; at the end of a text it may not be told.
 * @throws {LlamaError} ENDPOINT_FAILED if these are not the tokens that were sent
 */
function shiftOf(
  collector: Collector,
  names: readonly string[],
  prompt: readonly number[],
  engine: string,
): Shift {
  const fits = (shift: Shift): boolean => {
    const surplus = names.length + shift - prompt.length;
    const isSame = (name: string, i: number) => isToken(collector, name, prompt[i + shift]);
    return (surplus === 0 || surplus === 1) && names.every(isSame);
  };
  const shift = ([0, 1, -1] as const).find(fits);
  if (shift !== undefined) return shift;
  const place = names.findIndex((name, i) => !isToken(collector, name, prompt[i]));
  throw new LlamaError(
    'ENDPOINT_FAILED',
    `${engine} read other tokens than those that were asked about: ${names.length - 1} in place ` +
      `of ${prompt.length}, at ${place} ${show(names[place])}; does it have the same tokenizer?`,
  );
}

/** Whether the name may be that of the token; undefined is any token. */
const isToken = (collector: Collector, name: string, token: number | undefined): boolean =>
  token === undefined ||
  [token, undefined].includes(collector.idOf(name)) ||
  collector.idOf(` ${name}`) === token;

/** Tokens of the text came back as those that read the same but for a blank. */
const losesBlanks = (
  collector: Collector,
  names: readonly string[],
  prompt: readonly number[],
  shift: Shift,
): boolean =>
  names.some((name, i) => {
    const token = prompt[i + shift];
    return token !== undefined && ![token, undefined].includes(collector.idOf(name));
  });
