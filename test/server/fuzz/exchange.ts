/** A connection as bytes, and the answers that come over it. */
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Sent } from './raw.js';

/** So long nothing comes before the client takes that for all. */
const QUIET_MS = 60;

/** All that comes back to a client that sends what is described. */
export function exchange(port: number, { requests, cuts, until }: Sent): Promise<string> {
  const whole = Buffer.from(requests.join(''), 'latin1');
  const bytes = whole.subarray(0, Math.ceil(until * whole.length));
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', async () => {
      const ends = [...cuts.filter(cut => cut < bytes.length), bytes.length].sort((a, b) => a - b);
      for (const [i, end] of ends.entries()) {
        socket.write(bytes.subarray(ends[i - 1] ?? 0, end));
        await turn();
      }
      if (until < 1) socket.destroy();
    });
    let answer = '';
    socket.setTimeout(QUIET_MS, () => socket.destroy());
    socket.setEncoding('latin1').on('data', data => (answer += data));
    socket.on('error', () => {}).on('close', () => resolve(answer));
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** The answers in what came; the last one may not be complete, and is left out then. */
export function answersIn(text: string): Answer[] {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return [];
  const [line, ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
  const pairs = lines.map(each => each.split(/: (.*)/, 2) as [string, string]);
  const headers = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  const rest = text.slice(end + 4);
  const [body, next] =
    headers.get('transfer-encoding') === 'chunked' ? unchunked(rest) : cut(rest, headers, status);
  return next === undefined ? [] : [{ status, headers, body }, ...answersIn(next)];
}

/** A body, and what comes behind it; undefined if it is not complete. */
type Cut = readonly [body: string, next: string | undefined];

function cut(text: string, headers: ReadonlyMap<string, string>, status: number): Cut {
  const length = status < 200 ? 0 : Number(headers.get('content-length') ?? 0);
  return [text.slice(0, length), text.length < length ? undefined : text.slice(length)];
}

function unchunked(text: string): Cut {
  let body = '';
  for (let at = 0; ; ) {
    const line = text.indexOf('\r\n', at);
    const length = line === -1 ? Number.NaN : Number.parseInt(text.slice(at, line), 16);
    const end = line + 2 + length + 2;
    if (!(end <= text.length)) return [body, undefined];
    body += text.slice(line + 2, end - 2);
    if (length === 0) return [body, text.slice(end)];
    at = end;
  }
}
