/**
 * The chat templates of a model, and the special tokens that they name: in its GGUF file, or in its
 * directory, where transformers looks for them. Of these the first that is there counts:
 *
 *     chat_template.jinja, additional_chat_templates/NAME.jinja
 *     tokenizer_config.json: chat_template, a text, or a list of {name, template}
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { check, show } from '../base/errors.js';
import { isObject } from '../base/json.js';
import { isFile, readWholeFile } from '../files/file.js';
import {
  DEFAULT_TEMPLATE,
  readGgufTemplates,
  type TemplatesByName,
} from '../files/gguf/chat-template.js';
import { openGgufFile } from '../files/gguf/model.js';
import { type ChatFormat, cardFormat, templateFormat } from '../text/chat/format.js';
import { ChatTemplate } from '../text/chat/template.js';
import { object } from '../tokenizer/json/fields.js';
import { type TokenFiles, tokenTexts } from '../tokenizer/json/token-files.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { readTokenFiles, TOKEN_LISTS } from './tokenizer.js';

export const TEMPLATE_FILE = 'chat_template.jinja';
export const TEMPLATE_FOLDER = 'additional_chat_templates';
const [TOKENIZER_CONFIG] = TOKEN_LISTS;

/** The files of a directory that `openChatFormat` reads, if they are there. */
export const CHAT_FILES: readonly string[] = [TEMPLATE_FILE, ...TOKEN_LISTS];

export interface ModelTemplates {
  /** The file or the key that they are in. */
  readonly origin: string;
  readonly templates: TemplatesByName;
}

/**
 * How a conversation with a model is written.
 *
 * @param model as `loadModel` returns it
 * @param choice `card`, or the file of a chat template, in place of the model's own
 * @throws {LlamaError} NOT_FOUND if there is no such file, or the model has templates but none that
 * is the default; UNSUPPORTED if the template needs of Jinja what is not there.
 */
export async function openChatFormat(
  { path, tokenizer }: { readonly path: string; readonly tokenizer: Tokenizer },
  choice?: string,
): Promise<ChatFormat> {
  if (choice === 'card') return cardFormat(tokenizer);
  const tokenFiles = tokenFilesOf(path);
  const source =
    choice === undefined
      ? await ownTemplate(path, tokenFiles)
      : (await readWholeFile(choice)).toString('utf8');
  if (source === undefined) return cardFormat(tokenizer);
  const specialTokens = await readSpecialTokens(path, tokenizer, tokenFiles);
  return templateFormat(new ChatTemplate(source), tokenizer, specialTokens);
}

type TokenFilesOf = () => Promise<TokenFiles>;

/** Reads them when they are first needed, and once. */
function tokenFilesOf(directory: string): TokenFilesOf {
  let files: Promise<TokenFiles> | undefined;
  return () => {
    files ??= readTokenFiles(directory);
    return files;
  };
}

async function ownTemplate(path: string, tokenFiles: TokenFilesOf): Promise<string | undefined> {
  const found = await templatesOf(path, tokenFiles);
  const template = found?.templates.get(DEFAULT_TEMPLATE);
  check(found === undefined || template !== undefined, 'NOT_FOUND', () => {
    const names = [...found!.templates.keys()].join(', ');
    return (
      `${found!.origin} of ${path} has the chat templates ${names}, and none is the default; ` +
      'write one to a file, and give --chat-template FILE'
    );
  });
  return template;
}

/**
 * The chat templates of the model at `path`, as they are; undefined if it has none.
 * @throws {LlamaError} BAD_TOKENIZER if they are no texts.
 */
export async function readChatTemplates(path: string): Promise<ModelTemplates | undefined> {
  return templatesOf(path, tokenFilesOf(path));
}

async function templatesOf(
  path: string,
  tokenFiles: TokenFilesOf,
): Promise<ModelTemplates | undefined> {
  const found = (await isFile(path)) ? await fromGguf(path) : await fromDirectory(path, tokenFiles);
  return found.templates.size === 0 ? undefined : found;
}

async function fromGguf(path: string): Promise<ModelTemplates> {
  const file = await openGgufFile(path);
  await file.close();
  return { origin: 'tokenizer.chat_template', templates: readGgufTemplates(file.metadata) };
}

async function fromDirectory(path: string, tokenFiles: TokenFilesOf): Promise<ModelTemplates> {
  const files = await templateFiles(path);
  if (files.size === 0) return fromTokenizerConfig(path, await tokenFiles());
  const templates = new Map<string, string>();
  for (const [name, file] of files)
    templates.set(name, (await readWholeFile(join(path, file))).toString('utf8'));
  return { origin: TEMPLATE_FILE, templates };
}

/**
 * The file of the template `name` in a directory, relative to it. Characters that could lead out of
 * it become underscores.
 */
export function templateFile(name: string): string {
  if (name === DEFAULT_TEMPLATE) return TEMPLATE_FILE;
  return `${TEMPLATE_FOLDER}/${name.replace(/[^A-Za-z0-9_-]/g, '_')}.jinja`;
}

/** By the names of their templates: the files of a directory, relative to it. */
export async function templateFiles(path: string): Promise<Map<string, string>> {
  const others = await readdir(join(path, TEMPLATE_FOLDER)).catch((): string[] => []);
  const files = new Map<string, string>();
  for (const file of others.filter(name => name.endsWith('.jinja')).sort())
    files.set(file.slice(0, -'.jinja'.length), `${TEMPLATE_FOLDER}/${file}`);
  if (await isFile(join(path, TEMPLATE_FILE))) files.set(DEFAULT_TEMPLATE, TEMPLATE_FILE);
  return files;
}

function fromTokenizerConfig(path: string, { config = {} }: TokenFiles): ModelTemplates {
  const { chat_template } = object(config, join(path, TOKENIZER_CONFIG));
  const templates = new Map<string, string>();
  for (const { name, template } of namedTemplates(chat_template)) {
    const isText = typeof name === 'string' && typeof template === 'string';
    check(isText, 'BAD_TOKENIZER', () => {
      return (
        `${join(path, TOKENIZER_CONFIG)}: chat_template is ${show(chat_template)}, neither a ` +
        'text nor a list of {name, template}'
      );
    });
    templates.set(name, template);
  }
  return { origin: TOKENIZER_CONFIG, templates };
}

function namedTemplates(chatTemplate: unknown): readonly { name?: unknown; template?: unknown }[] {
  if (chatTemplate === undefined || chatTemplate === null) return [];
  const list = Array.isArray(chatTemplate) ? chatTemplate : [chatTemplate];
  return list.map(each => (isObject(each) ? each : { name: DEFAULT_TEMPLATE, template: each }));
}

/**
 * What templates call `bos_token`, `eos_token` and so on: those of the tokenizer, unless the files
 * beside it say otherwise. A null there means that there is none.
 */
async function readSpecialTokens(
  path: string,
  tokenizer: Tokenizer,
  tokenFiles: TokenFilesOf,
): Promise<Record<string, string>> {
  const textOf = (id: number | undefined) => (id === undefined ? [] : tokenizer.pieces([id]))[0];
  const own = {
    bos_token: textOf(tokenizer.bosId),
    eos_token: textOf(tokenizer.eosId),
    unk_token: textOf(tokenizer.unkId),
  };
  const named = (await isFile(path)) ? [] : tokenTexts(await tokenFiles());
  const texts = Object.entries({ ...own, ...Object.fromEntries(named) });
  return Object.fromEntries(
    texts.filter((each): each is [string, string] => typeof each[1] === 'string'),
  );
}
