/** The fields of a request, as options of generating a text. */
import type { ReplyEnds } from '../../text/chat/format.js';
import type { GenerateOptions } from '../../text/options.js';
import type { ScheduledOptions } from '../../text/scheduler/options.js';
import type { CompletionRequest } from '../schemas/completions.js';
import type { Served } from './served.js';

/** What requests for a text have in common. */
export type WritingRequest = Pick<
  CompletionRequest,
  | 'temperature'
  | 'top_p'
  | 'top_k'
  | 'min_p'
  | 'seed'
  | 'repetition_penalty'
  | 'frequency_penalty'
  | 'presence_penalty'
  | 'logit_bias'
  | 'n'
  | 'stop'
  | 'stop_token_ids'
  | 'response_format'
  | 'logprobs_mode'
  | 'user'
  | 'cache_salt'
  | 'cache_prompt'
>;

/** The same for a request with all its choices, but for `seed`: see `seedOf`. */
export function generateOptions(
  request: WritingRequest,
  { constraints }: Served,
  maxNewTokens: number | undefined,
  ends: Partial<ReplyEnds> = {},
): ScheduledOptions {
  const { stop } = request;
  return {
    ...samplingOptions(request),
    maxNewTokens,
    logprobsMode: request.logprobs_mode ?? undefined,
    constraint: constraints.of(request.response_format),
    user: request.user ?? undefined,
    cacheSalt: request.cache_salt ?? undefined,
    cachePrompt: request.cache_prompt ?? undefined,
    stop: [...(ends.stop ?? []), ...(typeof stop === 'string' ? [stop] : (stop ?? []))],
    stopTokenIds: request.stop_token_ids ?? ends.stopTokenIds,
  };
}

/** Each choice is drawn with a seed of its own. */
export const seedOf = ({ seed }: WritingRequest, choice: number): number | undefined =>
  seed === undefined || seed === null ? undefined : seed + choice;

function samplingOptions(request: WritingRequest): GenerateOptions {
  const temperature = request.temperature ?? 1;
  const topK = request.top_k ?? undefined;
  return {
    logitBias: request.logit_bias ?? undefined,
    repetitionPenalty: request.repetition_penalty ?? undefined,
    frequencyPenalty: request.frequency_penalty ?? undefined,
    presencePenalty: request.presence_penalty ?? undefined,
    temperature,
    // Without a draw there is nothing for them to narrow, and many clients send them anyway.
    ...(temperature > 0 && {
      topP: request.top_p ?? undefined,
      topK: topK === -1 ? 0 : topK,
      minP: request.min_p ?? undefined,
    }),
  };
}
