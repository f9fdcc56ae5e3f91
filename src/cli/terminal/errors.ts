/** From what went wrong to a line on stderr and an exit code. */
import { LlamaError, type LlamaErrorCode } from '../../base/errors.js';
import { escapeControls, escapeFor } from '../../base/escape.js';
import { Differs, Interrupted, type Io, style, toJson } from './io.js';

export const EXIT = {
  ok: 0,
  runtime: 1,
  usage: 2,
  checkpoint: 3,
  memory: 4,
  differs: 5,
  interrupted: 130,
  terminated: 143,
} as const;

const EXIT_OF: Readonly<Record<LlamaErrorCode, number>> = {
  BAD_CONFIG: EXIT.checkpoint,
  UNSUPPORTED: EXIT.checkpoint,
  BAD_CHECKPOINT: EXIT.checkpoint,
  TENSOR_MISMATCH: EXIT.checkpoint,
  BAD_TOKENIZER: EXIT.checkpoint,
  NOT_FOUND: EXIT.checkpoint,
  WRITE_FAILED: EXIT.runtime,
  UNAUTHORIZED: EXIT.runtime,
  DOWNLOAD_FAILED: EXIT.runtime,
  ENDPOINT_FAILED: EXIT.runtime,
  BAD_INPUT: EXIT.usage,
  BAD_OPTION: EXIT.usage,
  CONTEXT_OVERFLOW: EXIT.runtime,
  OUT_OF_MEMORY: EXIT.memory,
  NOT_FINITE: EXIT.runtime,
  BROKEN_INSTALLATION: EXIT.runtime,
  WORKER_FAILED: EXIT.runtime,
  QUEUE_FULL: EXIT.runtime,
  DISPOSED: EXIT.runtime,
};

/**
 * Tells stderr what went wrong, in one line, as JSON if `json`; gives the exit code. What should
 * not happen is told with its stack.
 */
export function report(error: unknown, io: Io, json: boolean): number {
  if (error instanceof Differs) return EXIT.differs;
  const { code, message, exit } = describe(error);
  const { stderr } = io;
  if (json) stderr.write(`${toJson({ error: { code, message } })}\n`);
  else if (code === 'INTERNAL') {
    stderr.write('llama-32k: a mistake in this program; please report it\n');
    stderr.write(`${escapeFor(stderr, message)}\n`);
  } else {
    stderr.write(`${style(stderr, io).red('llama-32k:')} ${escapeControls(message)} (${code})\n`);
  }
  return exit;
}

function describe(error: unknown): { code: string; message: string; exit: number } {
  if (error instanceof LlamaError) {
    return { code: error.code, message: onOneLine(error.message), exit: EXIT_OF[error.code] };
  }
  if (error instanceof Interrupted)
    return { code: 'INTERRUPTED', message: error.message, exit: EXIT.interrupted };
  if (isFailedAllocation(error))
    return { code: 'OUT_OF_MEMORY', message: error.message, exit: EXIT.memory };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'INTERNAL', message, exit: EXIT.runtime };
}

/**
 * File names and what JSON.parse quotes can have newlines; whoever reads stderr line by line relies
 * on there being none.
 */
const onOneLine = (message: string): string => message.replace(/\s*[\r\n]\s*/g, ' ');

/** V8's words for a typed array that there is no memory for. */
function isFailedAllocation(error: unknown): error is RangeError {
  return (
    error instanceof RangeError &&
    /allocation failed|Invalid typed array length/.test(error.message)
  );
}
