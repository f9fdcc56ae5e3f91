import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventParser } from '../../../src/server/playground/web/api/events.js';

/** What a parser gives of `text` in pieces that end at `cuts`. */
function parse(text: string, cuts: readonly number[] = []): string[] {
  const parser = new EventParser();
  const ends = [...cuts.map(cut => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
  return ends.flatMap((end, i) => parser.push(text.slice(ends[i - 1] ?? 0, end)));
}

describe('the data of server-sent events', () => {
  it('is that of the examples in the standard', () => {
    // WHATWG HTML, section 9.2.6, "Interpreting an event stream"
    expect(parse('data: YHOO\ndata: +2\ndata: 10\n\n')).toEqual(['YHOO\n+2\n10']);
    expect(parse(': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n')).toEqual(
      ['first event', 'second event'],
    );
    expect(parse('data\n\ndata\ndata\n\ndata:')).toEqual(['', '\n']);
    expect(parse('data:test\n\ndata: test\n\n')).toEqual(['test', 'test']);
  });

  it('is the same wherever the stream is cut, and whatever its line ends are', () => {
    const data = fc.array(
      fc.string().map(text => text.replace(/[\r\n]/g, '')),
      { minLength: 1 },
    );
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(fc.array(data), lineEnd, fc.array(fc.nat()), (events, end, cuts) => {
        const lines = events.flatMap(each => [...each.map(line => `data: ${line}`), ': ping', '']);
        const text = lines.map(line => line + end).join('');
        expect(parse(text, cuts)).toEqual(events.map(each => each.join('\n')));
      }),
    );
  });

  it('is not given of an event that is not whole', () => {
    expect(parse('data: whole\n\ndata: half\n')).toEqual(['whole']);
  });
});
