/**
 * Server-sent events, of which only the data is wanted: the grammar of the stream is that of WHATWG
 * HTML, section 9.2.6.
 */

/** Takes a stream in pieces, cut anywhere, and gives the data of each event when that is whole. */
export class EventParser {
  #rest = '';
  #endsWithReturn = false;
  #data: string[] = [];

  push(text: string): string[] {
    const isHalfOfPair = this.#endsWithReturn && text.startsWith('\n');
    if (text !== '') this.#endsWithReturn = text.endsWith('\r');
    const lines = (this.#rest + (isHalfOfPair ? text.slice(1) : text)).split(/\r\n|\n|\r/);
    this.#rest = lines.pop()!;
    return lines.flatMap(line => this.#take(line));
  }

  #take(line: string): string[] {
    if (line === '') {
      const data = this.#data;
      this.#data = [];
      return data.length === 0 ? [] : [data.join('\n')];
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
    if (field === 'data') this.#data.push(value);
    return [];
  }
}

/** The data of the events of a body, as they come. One that is not whole at the end is none. */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => {}); // nothing more is wanted, and the server stops
  }
}
