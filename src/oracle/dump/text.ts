/** The text of a dump: its tokens, and the positions that its rows are of. */
import { check, show } from '../../base/errors.js';
import type { LlamaConfig } from '../../model/config.js';
import type { GivenTensor } from './given.js';
import { POSITIONS, TOKENS } from './meaning.js';
import type { NamedTensors } from './name-tensors.js';
import { isIntegerDType } from './numbers.js';

export interface TextOfDump {
  readonly tokens: readonly number[];
  readonly positions: readonly number[];
}

/**
 * @param asked tokens that are given with the command
 * @throws {LlamaError} BAD_INPUT naming what is wrong; CONTEXT_OVERFLOW.
 */
export async function readText(
  named: NamedTensors,
  config: LlamaConfig,
  source: string,
  asked: readonly number[] | undefined,
): Promise<TextOfDump> {
  const tokens = await readTokens(named.get(TOKENS) ?? [], source, asked);
  checkTokens(tokens, config, source);
  const positions = await agreed(named.get(POSITIONS) ?? [], source);
  if (positions !== undefined) checkPositions(positions, tokens.length, source);
  return { tokens, positions: positions ?? [...tokens.keys()] };
}

async function readTokens(
  given: readonly GivenTensor[],
  source: string,
  asked: readonly number[] | undefined,
): Promise<readonly number[]> {
  const own = await agreed(given, source);
  const tokens = own ?? asked ?? [];
  check(
    tokens.length > 0,
    'BAD_INPUT',
    () => `${source}: there are no tokens; add them to it as tokens [T], or give --tokens`,
  );
  check(
    asked === undefined || isSame(tokens, asked),
    'BAD_INPUT',
    () => `${source} has other tokens than --tokens; leave --tokens out`,
  );
  return tokens;
}

function checkTokens(tokens: readonly number[], config: LlamaConfig, source: string): void {
  const { vocabSize, maxPositionEmbeddings } = config;
  check(
    tokens.length <= maxPositionEmbeddings,
    'CONTEXT_OVERFLOW',
    () =>
      `${source} has ${tokens.length} tokens, and the model's limit is ${maxPositionEmbeddings}; ` +
      'compare a shorter text',
  );
  const wrong = tokens.findIndex(token => token < 0 || token >= vocabSize);
  check(
    wrong === -1,
    'BAD_INPUT',
    () =>
      `${source}: token ${wrong} is ${tokens[wrong]}, outside the vocabulary of ${vocabSize}; is ` +
      'it the same model?',
  );
}

function checkPositions(positions: readonly number[], count: number, source: string): void {
  const seen = new Set<number>();
  for (const position of positions) {
    check(
      position >= 0 && position < count,
      'BAD_INPUT',
      () =>
        `${source}: position ${position} is none of the text's, which are 0 … ${count - 1}; give ` +
        'the places of the tokens that the rows are of',
    );
    check(
      !seen.has(position),
      'BAD_INPUT',
      () => `${source}: position ${position} comes twice; give each once`,
    );
    seen.add(position);
  }
}

/** The integers of tensors that must all have the same; undefined if there are none. */
async function agreed(
  tensors: readonly GivenTensor[],
  source: string,
): Promise<readonly number[] | undefined> {
  let found: readonly number[] | undefined;
  for (const tensor of tensors) {
    const integers = await readIntegers(tensor, source);
    check(
      found === undefined || isSame(found, integers),
      'BAD_INPUT',
      () =>
        `${source}: ${tensors.map(({ name }) => show(name)).join(' and ')} differ; leave one out`,
    );
    found = integers;
  }
  return found;
}

async function readIntegers(tensor: GivenTensor, source: string): Promise<readonly number[]> {
  const { dtype, shape, data } = await tensor.load();
  const where = `${source}: ${show(tensor.name)}`;
  check(
    isIntegerDType(dtype),
    'BAD_INPUT',
    () => `${where} has the dtype ${dtype}; write integers, such as int64`,
  );
  check(
    shape.at(-1) === data.length,
    'BAD_INPUT',
    () => `${where} has the shape ${show(shape)}; give one text, [T] or [1, T]`,
  );
  check(data.length > 0, 'BAD_INPUT', () => `${where} is empty; give at least one`);
  return Array.from(data);
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
