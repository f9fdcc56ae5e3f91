/**
 * What the files of a tokenizer say about whole texts, and not about what a text becomes. It
 * changes no id here: the caller says what is put around a text, and nothing is cut, filled up or
 * tidied. Where a file says what is not usual for Llama, a note names it.
 */
import { show } from '../../base/errors.js';

interface Setting {
  /** With these nothing is to be said. */
  readonly usual: readonly unknown[];
  readonly note: string;
}

const UNCUT = 'passed over: texts are neither cut nor filled up';
const SAID = 'passed over: what is put around a text is said with each text (bos, eos)';

/** By key; of tokenizer.json, tokenizer_config.json or a GGUF file. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  truncation: { usual: [null], note: UNCUT },
  padding: { usual: [null], note: UNCUT },
  add_bos_token: { usual: [true, null], note: SAID },
  add_eos_token: { usual: [false, null], note: SAID },
  clean_up_tokenization_spaces: {
    usual: [false, null],
    note: 'passed over: decoded texts keep their spaces, also those before punctuation',
  },
};

/** A sentence for each setting in `values` that is passed over, without the name of the file. */
export function settingNotes(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(SETTINGS).flatMap(([key, { usual, note }]) => {
    const value = values[key];
    const isUsual = value === undefined || usual.includes(value);
    return isUsual ? [] : [`${key} is ${show(value)}; ${note}`];
  });
}

/** The same for a `post_processor` of tokenizer.json, by the types of its components. */
export function postProcessorNotes(types: readonly unknown[]): string[] {
  const unusual = types.filter(type => type !== 'TemplateProcessing');
  return unusual.map(type => `post_processor has ${show(type)}; ${SAID}`);
}
