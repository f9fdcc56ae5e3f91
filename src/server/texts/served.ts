/** The model that is served, by the names that requests have for it; and who computes its texts. */
import { show } from '../../base/errors.js';
import type { Llama } from '../../model/llama.js';
import type { ChatFormat } from '../../text/chat/format.js';
import type { PrefixCache } from '../../text/prefix-cache/prefix-cache.js';
import type { Scheduler } from '../../text/scheduler/scheduler.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import { ApiError } from '../errors/api-error.js';
import type { Constraints } from './constraints.js';

export interface Served {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly model: Llama;
  readonly tokenizer: Tokenizer;
  readonly format: ChatFormat;
  /** Of weights, tokenizer and arithmetic: the same fingerprint gives the same answers. */
  readonly fingerprint: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly scheduler: Scheduler;
  /** That the scheduler takes at once, running and waiting. */
  readonly mostTexts: number;
  readonly prefixCache: PrefixCache | undefined;
  readonly constraints: Constraints;
}

/** @throws {ApiError} 404 for a model that is not served here */
export function checkModel({ id, aliases }: Served, asked: string | null | undefined): void {
  if (asked === undefined || asked === null || asked === id || aliases.includes(asked)) return;
  const served = [id, ...aliases].map(show).join(', ');
  throw new ApiError(
    404,
    'model_not_found',
    `there is no model ${show(asked)} here; this server has ${served}`,
    { param: 'model' },
  );
}

/** The parts of an engine's name, such as wasm-f32. */
export function arithmeticOf({ engine }: Llama): { kernels: string; numerics: string } {
  const [kernels, numerics] = engine.name.split('-');
  return { kernels, numerics };
}

/** @throws {ApiError} 400 for another arithmetic than the one that is served */
export function checkNumerics({ model }: Served, asked: string | null | undefined): void {
  const { numerics: served } = arithmeticOf(model);
  if (asked === undefined || asked === null || asked === served) return;
  throw new ApiError(
    400,
    'unsupported_value',
    `numerics is ${show(asked)}, and this server computes in ${served}; start another`,
    { param: 'numerics' },
  );
}
