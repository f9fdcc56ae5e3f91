/** What went wrong, as a person is told it: the server's own sentence, its code, and what to do. */

export class Failure extends Error {
  override readonly name = 'Failure';
  /** The server's word for it, such as `context_length_exceeded`. */
  readonly code: string;
  /** Of the answer; 0 if there was none. */
  readonly status: number;

  constructor(status: number, code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.code = code;
  }

  get nextStep(): string {
    return STEPS[this.code] ?? stepOf(this.status);
  }
}

const STEPS: Readonly<Record<string, string>> = {
  no_answer: 'Is llama-32k serve still running, and can this machine reach it?',
  stream_cut_off: 'The connection was lost while the answer was written. Try again.',
  context_length_exceeded:
    'Remove a document, shorten the message, ask for fewer tokens, or begin a new conversation.',
  invalid_api_key: 'Enter one of the keys that serve was given with --api-key.',
  body_too_large: 'Send less, or start serve with a larger --max-body.',
  origin_not_allowed: 'Open the page at the address that serve printed.',
  host_not_allowed: 'Open the page at the address that serve printed.',
};

function stepOf(status: number): string {
  if (status === 429) return 'Others are waiting already. Try again in a moment.';
  if (status === 503) return 'The server takes no work now. Try again in a moment.';
  if (status >= 500) return "Look into the server's log, which says more.";
  return 'Change what the message names, and send again.';
}

/** `{"error": {"message", "code"}}`, as the server writes it; anything else is shown as it came. */
export function failureOf(status: number, text: string): Failure {
  const error = errorIn(text);
  if (error === undefined) {
    return new Failure(status, `http_${status}`, text.slice(0, 500) || `HTTP status ${status}`);
  }
  const { code, message } = error;
  return new Failure(status, String(code ?? `http_${status}`), message);
}

function errorIn(text: string): { code?: unknown; message: string } | undefined {
  try {
    const { error } = JSON.parse(text);
    return typeof error?.message === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
