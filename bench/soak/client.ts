/** One request of the soak, over a socket of its own or a kept one, and what came of it. */
import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { SoakRequest } from './requests.js';

/** What is wrong with an answer; undefined if nothing is. */
export type Complaint = string | undefined;

const SECONDS = 300;

/** Resolves when the answer is complete, or the client has gone away as it was to. */
export function send(base: string, agent: Agent, asked: SoakRequest): Promise<Complaint> {
  const { path, body, fate } = asked;
  return new Promise(resolve => {
    const method = body === undefined ? 'GET' : 'POST';
    const bytes = Buffer.from(body ?? '');
    const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
    const request = httpRequest(base + path, { method, agent, headers });
    const end = (complaint: Complaint) => {
      clearTimeout(timer);
      resolve(complaint);
    };
    const leave = () => {
      end(undefined);
      request.destroy();
    };
    const timer = setTimeout(() => {
      end(`no answer in ${SECONDS} seconds`);
      request.destroy();
    }, SECONDS * 1000);
    request.on('error', error => end(`no answer: ${error.message}`));
    request.on('response', response => void read(response, asked, leave).then(end));
    if (fate === 'leaves in its body') request.write(bytes.subarray(0, bytes.length / 2), leave);
    else request.end(bytes, fate === 'leaves at once' ? leave : undefined);
  });
}

async function read(
  response: IncomingMessage,
  { isMalformed, fate }: SoakRequest,
  leave: () => void,
): Promise<Complaint> {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk;
      if (fate === 'leaves in the answer') leave();
    }
  } catch (error) {
    return fate === 'stays' ? `the answer broke off: ${(error as Error).message}` : undefined;
  }
  const status = response.statusCode!;
  const isRight = isMalformed ? status >= 400 && status < 500 : status === 200;
  if (!isRight) return `${status}: ${text.slice(0, 300)}`;
  const isStream = response.headers['content-type']?.startsWith('text/event-stream');
  if (isStream && !text.endsWith('data: [DONE]\n\n')) return `no end: ${text.slice(-300)}`;
  return undefined;
}
