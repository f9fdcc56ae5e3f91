/** What the library throws, as the fault of a field that it does not know of. */
import { LlamaError } from '../../base/errors.js';
import { ApiError } from './api-error.js';

/** The field, and what is wrong with it, for programs. */
export interface Field {
  readonly param?: string;
  readonly code: string;
}

/** Gives what `act` gives; what the library throws there is a 400 about `field`. */
export function aboutField<T>({ param, code }: Field, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof LlamaError)) throw error;
    throw new ApiError(400, code, error.message, { param, cause: error });
  }
}
