/** Token ids that a request gives. */
import type { LlamaConfig } from '../../model/config.js';
import { ApiError } from '../errors/api-error.js';

/** @throws {ApiError} 400 for one that the model does not have, by its place in `param` */
export function checkTokenIds(
  ids: readonly number[],
  { vocabSize }: Pick<LlamaConfig, 'vocabSize'>,
  param: string,
): void {
  const index = ids.findIndex(id => id >= vocabSize);
  if (index === -1) return;
  const place = `${param}[${index}]`;
  const message = `${place} is ${ids[index]}; ids are 0 to ${vocabSize - 1}`;
  throw new ApiError(400, 'invalid_value', message, { param: place });
}
