/**
 * Cutting a text at what a regular expression matches, as `pre_tokenizers.Split` of Hugging Face's
 * `tokenizers` does it: of matches and what is between them, parts are made by the behaviour.
 */
import { LlamaError, show } from '../../base/errors.js';
import type { ByteLevelRule, Split, SplitBehavior } from '../model/byte-level-rule.js';
import { compileOniguruma } from './oniguruma.js';

/** What `ByteLevel` cuts by, from GPT-2 (encoder.py). */
export const GPT2_PATTERN =
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+` +
  String.raw`|\s+(?!\S)|\s+`;

/** Parts of a text, one after the other; they are all of it, unless something is removed. */
export type Splitter = (text: string) => readonly string[];

/**
 * All cuts of `rule`, and the space in front of parts; `isPrefixed`: whether the first part may get
 * one.
 */
export function splitterOf(rule: ByteLevelRule): (text: string, isPrefixed: boolean) => string[] {
  const splitters = rule.splits.map(compileSplit);
  const words = compileSplit({ pattern: GPT2_PATTERN, behavior: 'Isolated', invert: false });
  return (text, isPrefixed) => {
    let parts = [text];
    for (const split of splitters) parts = parts.flatMap(split);
    if (rule.addPrefixSpace) {
      parts = parts.map((part, i) => {
        const isBare = part !== '' && !part.startsWith(' ') && (i > 0 || isPrefixed);
        return isBare ? ` ${part}` : part;
      });
    }
    return rule.useRegex ? parts.flatMap(words) : parts;
  };
}

/**
 * What it returns throws BAD_INPUT for a text that the runtime cannot match.
 * @throws {LlamaError} UNSUPPORTED for a pattern that cannot be translated.
 */
export function compileSplit({ pattern, behavior, invert }: Split): Splitter {
  const regex = compileOniguruma(pattern);
  const join = BEHAVIORS[behavior];
  const split: Splitter = text => {
    const matches = text.match(regex) ?? [];
    const isWhole = matches.reduce((sum, match) => sum + match.length, 0) === text.length;
    if (isWhole && behavior === 'Isolated') return matches.filter(match => match !== '');
    return join(text, cutsOf(text, regex, invert)).filter(part => part !== '');
  };
  return text => refusingEndless(text, pattern, split);
}

/** V8 keeps the places to go back to in 64 MB: 2 to 3 million of them. */
function refusingEndless(text: string, pattern: string, split: Splitter): readonly string[] {
  try {
    return split(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new LlamaError(
      'BAD_INPUT',
      `a text of ${text.length} characters has a run without an end, of millions, too long for ` +
        `${show(pattern)} to match: put a space or a newline into it`,
      { cause: error },
    );
  }
}

/** A part of the text, from where the part before it ends. */
interface Cut {
  readonly start: number;
  readonly end: number;
  readonly isMatch: boolean;
}

function cutsOf(text: string, regex: RegExp, invert: boolean): Cut[] {
  const cuts: Cut[] = [];
  let done = 0;
  for (const { index, 0: match } of text.matchAll(regex)) {
    const end = index + match.length;
    if (match === '' && index === done && done > 0) continue; // it is where the last one ended
    if (done < index) cuts.push({ start: done, end: index, isMatch: invert });
    cuts.push({ start: index, end, isMatch: !invert });
    done = end;
  }
  if (done < text.length) cuts.push({ start: done, end: text.length, isMatch: invert });
  return cuts;
}

/** From the cuts in order to the parts. */
const BEHAVIORS: Readonly<Record<SplitBehavior, (text: string, cuts: Cut[]) => string[]>> = {
  Isolated: (text, cuts) => cuts.map(({ start, end }) => text.slice(start, end)),
  Removed: (text, cuts) =>
    cuts.filter(({ isMatch }) => !isMatch).map(({ start, end }) => text.slice(start, end)),
  Contiguous: joining((cut, before) => cut.isMatch === before.isMatch),
  MergedWithPrevious: joining((cut, before) => cut.isMatch && !before.isMatch),
  MergedWithNext: joining((cut, before) => before.isMatch && !cut.isMatch),
};

/** Cuts become one part with the cut before them where `joins` says so. */
function joining(joins: (cut: Cut, before: Cut) => boolean) {
  return (text: string, cuts: Cut[]): string[] => {
    const starts = cuts.filter((cut, i) => i === 0 || !joins(cut, cuts[i - 1]));
    return starts.map(({ start }, i) => text.slice(start, starts[i + 1]?.start));
  };
}
