/** What to say to the embedded model: it knows an invented world, and little other English. */

/** Held-out instructions, which it follows to the letter. */
export const SUGGESTIONS: readonly string[] = [
  'Write these words in reverse order: honey, hamster, melons, printer.',
  'What are the opposites of loud and clean?',
  'How many words are these? ladder, clerk, farmer.',
];

/** For --help. */
export const ABOUT_EMBEDDED: string =
  'Without --model it is tiny-32k, which knows a few hundred words and a few kinds of ' +
  `instructions, such as "${SUGGESTIONS[0]}", "${SUGGESTIONS[1]}", and "${SUGGESTIONS[2]}"`;
