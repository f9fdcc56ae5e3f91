/** Small things that are done to texts in more than one place. */

/** `maxNewTokens` as others spell it: max_new_tokens with "_", max-new-tokens with "-". */
export function separateWords(name: string, separator: '_' | '-'): string {
  return name.replace(/[A-Z]/g, capital => `${separator}${capital.toLowerCase()}`);
}

/** `text` as a regular expression that matches nothing else. */
export function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
