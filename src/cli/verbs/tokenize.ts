/** `llama-32k tokenize` and `detokenize`: text to token ids, and back. */
import { check } from '../../base/errors.js';
import { escapeFor } from '../../base/escape.js';
import { openTokenizer } from '../../load/tokenizer.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import { modelPath } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { parseIntegers } from '../arguments/token-list.js';
import { tellLeftOut } from '../arguments/tokenizer.js';
import { readStdin } from '../terminal/input.js';
import { type Io, note, showNotes, write, writeJson } from '../terminal/io.js';

export const tokenizeVerb: Verb = {
  name: 'tokenize',
  usage: 'TEXT [options]',
  summary: 'The token ids of a text, as 1,2,3.',
  details: [
    'Special tokens that TEXT spells out, such as <|im_end|>, become their ids where the model ' +
      'lists them as added tokens, as transformers reads it. A tokenizer.model by itself lists ' +
      'none: as in SentencePiece, </s> is text there.',
    '- reads stdin, to its last newline. Text that begins with a dash comes after --.',
  ],
  options: [
    ...MODEL,
    { name: 'bos', help: 'Put the id that begins every text in front.' },
    {
      name: 'special',
      help:
        'All special tokens that TEXT spells out become their ids, those of a tokenizer.model ' +
        'too.',
    },
  ],
  json:
    'Print {ids, pieces}; pieces are as the tokenizer has them: of SentencePiece with ▁ for a ' +
    'space, and <0x0A> for a byte that is no piece; of a byte-level one with a letter for each ' +
    'byte, Ġ for a space and Ċ for a newline. And left_out, the characters with bytes that have ' +
    'no piece, if there are any.',
  argument: 'TEXT',
  async run(options: Options, io: Io): Promise<void> {
    const text = await readArgument(options, io, 'TEXT');
    const tokenizer = await openWithNotes(options, io);
    const special = options.flag('special') || 'added';
    const ids = tokenizer.encode(text, { bos: options.flag('bos'), special });
    const leftOut = tokenizer.leftOut(text, { special });
    tellLeftOut(leftOut, options, io);
    if (!options.flag('json')) return write(io.stdout, `${ids.join(',')}\n`);
    const pieces = tokenizer.pieces(ids);
    await writeJson(io, { ids, pieces, ...(leftOut.length > 0 && { left_out: leftOut }) });
  },
};

export const detokenizeVerb: Verb = {
  name: 'detokenize',
  usage: 'IDS [options]',
  summary: 'The text of token ids, given as 1,2,3.',
  details: [
    'Special tokens, such as BOS, have no text, unless --special is given, and neither have ids ' +
      'that the tokenizer does not have. - reads stdin. No newline is added, unless on a ' +
      'terminal.',
  ],
  options: [...MODEL, { name: 'special', help: 'Show special tokens by name, such as </s>.' }],
  json: 'Print {text}.',
  argument: 'IDS',
  async run(options: Options, io: Io): Promise<void> {
    const ids = parseIntegers(await readArgument(options, io, 'IDS'), 'IDS');
    const tokenizer = await openWithNotes(options, io);
    const unknown = ids.find(id => id >= tokenizer.vocabSize);
    if (unknown !== undefined && !options.flag('json'))
      note(io, `${unknown} has no text: the tokenizer has ${tokenizer.vocabSize} tokens.`);
    const text = tokenizer.decode(ids, { skipSpecial: !options.flag('special') });
    if (options.flag('json')) await writeJson(io, { text });
    else await write(io.stdout, escapeFor(io.stdout, text) + (io.stdout.isTTY ? '\n' : ''));
  },
};

async function openWithNotes(options: Options, io: Io): Promise<Tokenizer> {
  const tokenizer = await openTokenizer(await modelPath(options, io, 'tokenizer'));
  showNotes(io, options.flag('json'), tokenizer.notes);
  return tokenizer;
}

async function readArgument({ argument }: Options, io: Io, name: string): Promise<string> {
  check(
    argument !== undefined,
    'BAD_OPTION',
    () => `${name} is missing; give it, or - to read stdin`,
  );
  return argument === '-' ? readStdin(io) : argument;
}
