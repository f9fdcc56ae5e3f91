/** A request as a command for curl, in any POSIX shell. */
import type { ChatRequest } from '../api/chat-request.js';

/** @param needsKey it is taken from the environment, and not shown */
export function asCurl(origin: string, request: ChatRequest, needsKey: boolean): string {
  const parts = [
    `curl --no-buffer ${quote(`${origin}/v1/chat/completions`)}`,
    "-H 'content-type: application/json'",
    ...(needsKey ? ['-H "authorization: Bearer $LLAMA_32K_API_KEY"'] : []),
    `-d ${quote(JSON.stringify(request, null, 2))}`,
  ];
  return parts.join(' \\\n  ');
}

/** In single quotes nothing means anything to a shell, but for the quote itself. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
