/**
 * Numbers as JSON writes them (RFC 8259 §6), with an end: a model that has begun with digits must
 * not go on with them for ever, and what is read must be finite. So there are at most 21 digits
 * before the point and 25 behind it, which is as many as JSON.stringify ever writes; an exponent
 * stands behind a number from 1 to 9.99… and is at most 307.
 */
import { type Expression, type Language, NEVER } from '../automaton/expression.js';

const MOST_DIGITS = 21;
const MOST_DECIMALS = 25;

const digit = (language: Language, from = 0, to = 9) => language.byte([0x30 + from, 0x30 + to]);

/** Any integer of at most 21 digits. */
export function anyInteger(language: Language): Expression {
  return signed(language, natural(language));
}

export function anyNumber(language: Language): Expression {
  const decimals = language.optional(
    language.sequence(language.text('.'), language.repeat(digit(language), 1, MOST_DECIMALS)),
  );
  const plain = language.sequence(natural(language), decimals);
  const scientific = language.sequence(digit(language, 1), decimals, exponent(language));
  return signed(language, language.choice(plain, scientific));
}

function exponent(language: Language): Expression {
  const e = language.byte([0x45, 0x45], [0x65, 0x65]);
  const plus = language.optional(language.text('+'));
  const large = integersBetween(language, 0n, 307n);
  const small = integersBetween(language, 0n, 399n);
  return language.sequence(
    e,
    language.choice(language.sequence(plus, large), language.sequence(language.text('-'), small)),
  );
}

/** 0, or digits of which the first is none. */
function natural(language: Language): Expression {
  const more = language.repeat(digit(language), 0, MOST_DIGITS - 1);
  return language.choice(language.text('0'), language.sequence(digit(language, 1), more));
}

function signed(language: Language, unsigned: Expression): Expression {
  return language.sequence(language.optional(language.text('-')), unsigned);
}

/** The integers from `least` to `most`, of at most 21 digits where nothing is said. */
export function integersBetween(
  language: Language,
  least = -(10n ** BigInt(MOST_DIGITS)) + 1n,
  most = 10n ** BigInt(MOST_DIGITS) - 1n,
): Expression {
  if (least > most) return NEVER;
  const below = least < 0n ? naturals(language, most < 0n ? -most : 1n, -least) : NEVER;
  const above = most >= 0n ? naturals(language, least > 0n ? least : 0n, most) : NEVER;
  return language.choice(language.sequence(language.text('-'), below), above);
}

/** 0 ≤ `least` ≤ `most`, number of digits by number of digits. */
function naturals(language: Language, least: bigint, most: bigint): Expression {
  const options: Expression[] = [];
  for (let from = least; from <= most; ) {
    const digits = String(from).length;
    const longest = 10n ** BigInt(digits) - 1n;
    const to = longest < most ? longest : most;
    options.push(sameLength(language, String(from), String(to)));
    from = to + 1n;
  }
  return language.choice(...options);
}

/** The digits from `low` to `high`, which are equally many. */
function sameLength(language: Language, low: string, high: string): Expression {
  const [first, last] = [Number(low[0]), Number(high[0])];
  if (low.length === 1) return digit(language, first, last);
  const [lows, highs] = [low.slice(1), high.slice(1)];
  const rest = (from: string, to: string) => sameLength(language, from, to);
  const one = (value: number) => digit(language, value, value);
  if (first === last) return language.sequence(one(first), rest(lows, highs));
  const [zeros, nines] = ['0'.repeat(lows.length), '9'.repeat(lows.length)];
  const [isLowWhole, isHighWhole] = [lows === zeros, highs === nines];
  const [from, to] = [isLowWhole ? first : first + 1, isHighWhole ? last : last - 1];
  return language.choice(
    isLowWhole ? NEVER : language.sequence(one(first), rest(lows, nines)),
    from <= to ? language.sequence(digit(language, from, to), rest(zeros, nines)) : NEVER,
    isHighWhole ? NEVER : language.sequence(one(last), rest(zeros, highs)),
  );
}
