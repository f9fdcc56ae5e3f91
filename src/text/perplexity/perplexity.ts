/**
 * How well a model foretells a text:
 *
 *     perplexity = e^(mean of −log p(token | tokens before it)),
 *
 * as if it had to choose among so many tokens that are all as likely. (F. Jelinek et al.,
 * "Perplexity, a measure of the difficulty of speech recognition tasks", 1977.) Which tokens are
 * scored, and what the model sees before them, changes the number: `windows.ts`.
 *
 * Numerics: log-probabilities in float64 whatever the logits are, as `sampling/logprobs.ts` has
 * them; the mean in the order of the text. With the logits it is the same bits for any number of
 * threads.
 */
import { check, LlamaError } from '../../base/errors.js';
import type { Floats } from '../../base/tensor.js';
import { type ReadableModel, readTokens } from '../../model/chunks.js';
import type { LlamaConfig } from '../../model/config.js';
import { describeLimit } from '../../model/context.js';
import { exp } from '../../ops/exp.js';
import { logSumExp } from '../sampling/logprobs.js';
import { checkPerplexityOptions, type PerplexityOptions, type ScoredChunk } from './options.js';
import { RunningMean } from './running-mean.js';
import { cutText, type Window, windowLength } from './windows.js';

/** What a perplexity needs of a model; `Llama` is one. */
export interface PerplexityModel extends ReadableModel {
  readonly config: Pick<LlamaConfig, 'vocabSize' | 'maxPositionEmbeddings' | 'isLimitRaised'> &
    Partial<Pick<LlamaConfig, 'ropeScaling'>>;
}

/** How well a model foretold a text. */
export interface Perplexity {
  readonly perplexity: number;
  /**
   * Of the perplexity, one standard deviation, as if tokens were independent: perplexity times that
   * of the mean, as llama.cpp has it. Undefined of a single token.
   */
  readonly standardError: number | undefined;
  /** Mean of −log p, in nats a token. */
  readonly meanNll: number;
  /** How many tokens were scored. */
  readonly tokens: number;
  /** The windows, in the order of the text. */
  readonly chunks: readonly ScoredChunk[];
}

/** Rows of a pass at most: as many as the WASM engine computes at a time. */
const MOST_ROWS = 128;
/** Logits of a pass at most: 32 MiB as float32. */
const MOST_LOGITS = 2 ** 23;

/**
 * The perplexity of `model` on the text with the token ids `ids`. Memory does not grow with the
 * text, but for 8 bytes a token that is scored.
 *
 * @throws {LlamaError} BAD_OPTION; BAD_INPUT for an id that is not in the vocabulary, and a text
 * that is too short; CONTEXT_OVERFLOW for windows longer than the model has positions, all before
 * anything is computed; NOT_FINITE if a probability is 0 or no number; what the model throws; and
 * `signal.reason`
 */
export async function perplexity(
  model: PerplexityModel,
  ids: readonly number[],
  options: PerplexityOptions = {},
): Promise<Perplexity> {
  const settings = checkPerplexityOptions(options);
  const { bos, onChunk, signal } = settings;
  checkIds(ids, model.config);
  if (bos !== undefined) checkIds([bos], model.config);
  checkPositions(windowLength(settings), model.config);
  const windows = cutText(ids.length, settings).slice(0, settings.chunks);

  const all = new RunningMean();
  const chunks: ScoredChunk[] = [];
  for (const window of windows) {
    const nlls = await score(model, ids, window, bos, signal);
    for (const nll of nlls) all.add(nll);
    const { start, end } = window;
    const chunk = { start, end, nlls, perplexity: exp(all.mean) };
    chunks.push(chunk);
    onChunk(chunk);
  }
  const value = exp(all.mean);
  const error = all.standardError;
  return {
    perplexity: value,
    standardError: error === undefined ? undefined : value * error,
    meanNll: all.mean,
    tokens: all.count,
    chunks,
  };
}

/** −log p of the tokens that `window` scores, [end − firstScored]. */
async function score(
  model: PerplexityModel,
  ids: readonly number[],
  { start, end, firstScored }: Window,
  bos: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  // what comes after the last token is not asked
  const read = ids.slice(start, end - 1);
  if (bos !== undefined) read[0] = bos;
  const nlls = new Float64Array(end - firstScored);
  const rows = Math.floor(MOST_LOGITS / model.config.vocabSize);
  const readings = readTokens(model, read, {
    chunkSize: Math.min(MOST_ROWS, Math.max(1, rows)),
    wants: index => start + index + 1 >= firstScored,
    signal,
  });
  for await (const { index, logits } of readings) {
    const next = start + index + 1;
    nlls[next - firstScored] = negativeLogLikelihood(logits, ids[next], next);
  }
  return nlls;
}

function negativeLogLikelihood(logits: Floats, token: number, place: number): number {
  const nll = logSumExp(logits) - logits[token];
  check(Number.isFinite(nll), 'NOT_FINITE', () => {
    return (
      `−log p of token ${token}, number ${place} of the text, is ${nll}: the model gives logits ` +
      'that are no numbers, or no probability at all'
    );
  });
  return nll;
}

/** Before the first of perhaps many hours. */
function checkIds(ids: readonly number[], { vocabSize }: PerplexityModel['config']): void {
  const bad = ids.find(id => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  check(
    bad === undefined,
    'BAD_INPUT',
    () => `token ${bad} is not in the vocabulary; ids are 0 to ${vocabSize - 1}`,
  );
}

function checkPositions(length: number, config: PerplexityModel['config']): void {
  if (length <= config.maxPositionEmbeddings) return;
  throw new LlamaError(
    'CONTEXT_OVERFLOW',
    `a window is ${length} tokens (ctxSize), and ${describeLimit(config)}`,
    { option: 'ctxSize' },
  );
}
