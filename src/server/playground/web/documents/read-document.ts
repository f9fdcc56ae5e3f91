/** A file that somebody chose, as a document: text in UTF-8, all of it, or a sentence why not. */
import type { Document } from '../conversation/conversation.js';

/** What a file is, as far as it is read. */
export interface TextFile {
  readonly name: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** @throws {Error} a sentence for whoever chose it */
export async function readDocument(file: TextFile): Promise<Document> {
  const bytes = await file.arrayBuffer().catch(() => {
    throw new Error(`${file.name} cannot be read; choose a file, not a folder`);
  });
  const text = decode(file.name, bytes);
  if (text.trim() === '') throw new Error(`${file.name} is empty`);
  return { name: file.name, text };
}

function decode(name: string, bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${name} is not text in UTF-8; save it as such, and choose it again`);
  }
}
