/**
 * One error class for everything that can go wrong outside the program's own logic.
 *
 * `code` is stable and meant for `switch`; the message names the value, the limit and the next
 * step. Programmer mistakes inside the library (a wrong argument type, say) stay `TypeError` or
 * `RangeError`.
 */

export type LlamaErrorCode =
  /** config.json is not what Hugging Face writes: missing, mistyped or contradictory values. */
  | 'BAD_CONFIG'
  /** The checkpoint asks for something that would change the result and is not implemented. */
  | 'UNSUPPORTED'
  /** The bytes of a weight file are broken: header, offsets, sizes, dtypes. */
  | 'BAD_CHECKPOINT'
  /**
   * A well-formed checkpoint whose tensors are not those of this model: missing, unexpected or of
   * another shape.
   */
  | 'TENSOR_MISMATCH'
  /** tokenizer.model or tokenizer.json is broken or not of the Llama kind. */
  | 'BAD_TOKENIZER'
  /** A file, directory, or model of the hub that should be there is not, or cannot be read. */
  | 'NOT_FOUND'
  /** What was to be written cannot be: the disk is full, or the system refuses. */
  | 'WRITE_FAILED'
  /**
   * The hub wants a token, or a licence accepted, before it gives this model; or an engine that is
   * asked wants a key.
   */
  | 'UNAUTHORIZED'
  /**
   * A download did not come to its end: the network, the server, the disk, or bytes that are not
   * those announced.
   */
  | 'DOWNLOAD_FAILED'
  /** Another engine, asked for its numbers, cannot be reached, or does not give them. */
  | 'ENDPOINT_FAILED'
  /** A token id outside the vocabulary, or a position out of turn. */
  | 'BAD_INPUT'
  /** An option of a function or of the command line has a value outside its range. */
  | 'BAD_OPTION'
  /** More positions asked for than `max_position_embeddings`. */
  | 'CONTEXT_OVERFLOW'
  /** The memory needed is more than there is, or more than was allowed. */
  | 'OUT_OF_MEMORY'
  /** A NaN or an infinity where a number was expected. */
  | 'NOT_FINITE'
  /** A file of this package is not there, or is not what was published. */
  | 'BROKEN_INSTALLATION'
  /** A worker died; the model must be loaded again. */
  | 'WORKER_FAILED'
  /** As many texts wait for their turn as may; try again later. */
  | 'QUEUE_FULL'
  /** The object was disposed and cannot be used any more. */
  | 'DISPOSED';

/**
 * What the library throws for bad input: a stable code, and a message with the value, the limit and
 * a next step.
 */
export class LlamaError extends Error {
  override readonly name = 'LlamaError';
  readonly code: LlamaErrorCode;
  /** The option at fault, by its name in the library; the message begins with it or has it once. */
  readonly option: string | undefined;

  constructor(
    code: LlamaErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly option?: string | undefined } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.option = options.option;
  }
}

/** Whether that is what the library throws with this code. */
export const hasCode = (error: unknown, code: LlamaErrorCode): error is LlamaError =>
  error instanceof LlamaError && error.code === code;

/** Throws `LlamaError(code)` unless `condition` holds; `message` is built only then. */
export function check(
  condition: boolean,
  code: LlamaErrorCode,
  message: () => string,
): asserts condition {
  if (!condition) throw new LlamaError(code, message());
}

/** The first three of many names, for a message. */
export function firstOf(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${names.slice(0, 3).join(', ')}${more}`;
}

/** A value for an error message: quoted if it is text, and never longer than a line. */
export function show(value: unknown): string {
  if (typeof value === 'number') return String(value); // JSON has no NaN and no Infinity
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = String(value);
  }
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
