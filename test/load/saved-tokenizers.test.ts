/** What `save_pretrained` of transformers 4 and 5 wrote, with added tokens of all kinds. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { goldenPath } from '../support/golden.js';

const golden: {
  readonly texts: readonly string[];
  readonly ids: Readonly<Record<string, readonly string[] | string>>;
} = JSON.parse(readFileSync(goldenPath('saved-tokenizers/ids.json'), 'utf8'));

/** By text, separated by spaces; another directory may have the same. */
function idsOf(name: string): readonly string[] {
  const ids = golden.ids[name];
  return typeof ids === 'string' ? idsOf(ids) : ids;
}

describe.each(Object.keys(golden.ids))('saved-tokenizers/%s', name => {
  it('gives the ids that transformers gives, for 2,000 texts', async () => {
    const tokenizer = await openTokenizer(goldenPath(`saved-tokenizers/${name}`));
    expect(golden.texts).toHaveLength(2000);
    golden.texts.forEach((text, i) => {
      const ids = tokenizer.encode(text, { special: 'added' }).join(' ');
      expect(ids, JSON.stringify(text)).toBe(idsOf(name)[i]);
    });
  });

  it('leaves special tokens text where they are not wanted, and finds the others', async () => {
    const tokenizer = await openTokenizer(goldenPath(`saved-tokenizers/${name}`));
    const special = new Set(tokenizer.specialTokens.map(({ id }) => id));
    for (const text of golden.texts) {
      const ids = tokenizer.encode(text);
      expect(ids.filter(id => special.has(id))).toEqual([]);
    }
    expect(tokenizer.encode('<tool>')).toEqual([tokenizer.idOf('<tool>')]);
    const kinds = tokenizer.addedTokens.map(({ content, special: isSpecial }) => [
      content,
      isSpecial,
    ]);
    expect(Object.fromEntries(kinds)).toMatchObject({
      ...{ '<s>': true, '</s>': true, '<tool>': false, word: false, 'I am': false },
      ...{ '[PAD]': true, '<|im_start|>': true, '<|im_end|>': true },
    });
  });
});
