/**
 * A model of the Hugging Face hub by its name: `owner/name`, for the model as Hugging Face has it,
 * or `owner/name:file.gguf`, for one GGUF file of it.
 */
import { isFilePath } from './file-path.js';

export interface Reference {
  /** owner/name */
  readonly repo: string;
  /** The path of a GGUF file in it. */
  readonly file: string | undefined;
}

/** As huggingface_hub's `validate_repo_id` has it. */
const REFERENCE = /^(\w(?:[\w.-]*\w)?\/\w(?:[\w.-]{0,94}\w)?)(?::(.+\.gguf))?$/;
const NOT_IN_NAMES = /--|\.\.|\.git$/;

/** Undefined if `text` is no such name; one that ends in .gguf is a path. */
export function parseReference(text: string): Reference | undefined {
  const [, repo, file] = REFERENCE.exec(text) ?? [];
  if (repo === undefined || NOT_IN_NAMES.test(repo) || repo.endsWith('.gguf')) return undefined;
  if (file !== undefined && !isFilePath(file)) return undefined;
  return { repo, file };
}
