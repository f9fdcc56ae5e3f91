/**
 * The rule of "▁": pieces have it for a space, and a text's first word gets one, too, so that it
 * reads like any other. What SentencePiece calls the dummy prefix, Hugging Face writes down in many
 * ways, which differ where a text begins with a space, and behind an added token:
 *
 *     text                                 SentencePiece     Metaspace, first    Metaspace, always
 *     "a"                                  ▁a                ▁a                  ▁a
 *     " a"                                 ▁▁a               ▁a                  ▁a
 *     "a" behind an added token            ▁a                a                   ▁a
 *
 * A text is cut at its added tokens first, into stretches; each is normalized, cut again at those
 * added tokens that are `normalized`, and then prefixed.
 */
export interface SpaceRule {
  /**
   * What is done to a stretch: nothing; spaces become "▁" (escape); and "▁" is put in front, always
   * (prepend) or if there is one (double).
   */
  readonly normalizer: 'none' | 'escape' | 'prepend' | 'double';
  /**
   * Which stretches then get a "▁" unless they begin with one or a space: the `prepend_scheme` of
   * Hugging Face's Metaspace.
   */
  readonly prefix: 'always' | 'first' | 'never';
  /** Whether decoding drops a space at the start of the text. */
  readonly dropsSpace: boolean;
}

/** SentencePiece's, with `add_dummy_prefix` and without: also Hugging Face's until 2023. */
export function sentencePieceSpaces(addDummyPrefix: boolean): SpaceRule {
  return {
    normalizer: addDummyPrefix ? 'prepend' : 'escape',
    prefix: 'never',
    dropsSpace: addDummyPrefix,
  };
}

/** Whether a text that is one word gets a "▁" in front: all that other formats have room for. */
export function hasPrefix({ normalizer, prefix }: SpaceRule): boolean {
  return normalizer === 'prepend' || prefix !== 'never';
}

/** `text` after the normalizer; `continuation`: other text stands before it. */
export function normalizeStretch(
  text: string,
  { normalizer }: SpaceRule,
  continuation = false,
): string {
  if (normalizer === 'none') return text;
  const escaped = text.replaceAll(' ', '▁');
  if (normalizer === 'escape' || continuation || text === '') return escaped;
  return normalizer === 'prepend' || escaped.startsWith('▁') ? `▁${escaped}` : escaped;
}

/** `text` with the prefix that Metaspace gives it; `isFirst`: the whole text begins with it. */
export function prefixStretch(text: string, { prefix }: SpaceRule, isFirst: boolean): string {
  const isPrefixed = prefix === 'always' || (prefix === 'first' && isFirst);
  return isPrefixed && text !== '' && !/^[ ▁]/.test(text) ? `▁${text}` : text;
}
