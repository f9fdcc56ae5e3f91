/** The request as curl and as TypeScript: run, or compiled, with whatever people write. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../../src/server/playground/web/api/chat-request.js';
import { asCurl } from '../../../src/server/playground/web/request/as-curl.js';
import { asTypeScript } from '../../../src/server/playground/web/request/as-typescript.js';
import { buildRequest } from '../../../src/server/playground/web/request/build-request.js';
import { INITIAL } from '../../../src/server/playground/web/settings/fields.js';
import { chatRequest } from '../../../src/server/schemas/chat.js';
import { validate } from '../../../src/server/schemas/validate.js';

const ORIGIN = 'http://127.0.0.1:8080';
const ODD =
  `it's "$HOME" \`id\` \\ \\n ! %s \n\t\u0000\u001b[31m \u2028 </script> \${x} ` +
  "é 🦙 \ud800 'end'";

const requestOf = (content: string): ChatRequest =>
  buildRequest('tiny-32k', INITIAL, [{ role: 'user', text: content, documents: [] }]);

/** The arguments that a shell gives curl. */
async function argumentsOf(command: string): Promise<string[]> {
  const script = `curl() { printf '%s\\0' "$@"; }\n${command}`;
  const env = { LLAMA_32K_API_KEY: 'a key' };
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { env });
  return stdout.split('\0').slice(0, -1);
}

const unicode = fc.string({ unit: 'binary' });

describe.skipIf(process.platform === 'win32')('as curl', () => {
  it('gives curl the body, to the letter, from a POSIX shell', async () => {
    const check = async (text: string) => {
      const request = requestOf(text);
      const given = await argumentsOf(asCurl(ORIGIN, request, false));
      expect(given[1]).toBe(`${ORIGIN}/v1/chat/completions`);
      expect(JSON.parse(given.at(-1)!)).toEqual(request);
    };
    await check(ODD);
    await fc.assert(fc.asyncProperty(unicode, check), { numRuns: 30 });
  });

  it('takes the key from the environment', async () => {
    const given = await argumentsOf(asCurl(ORIGIN, requestOf('x'), true));
    expect(given).toContain('authorization: Bearer a key');
  });
});

describe('as TypeScript', () => {
  it("sends the body, to the letter, by OpenAI's client", async () => {
    const check = async (text: string) => {
      const request = requestOf(text);
      expect(await sentBy(asTypeScript(ORIGIN, request, false))).toEqual(request);
    };
    await check(ODD);
    await fc.assert(fc.asyncProperty(unicode, check), { numRuns: 30 });
  });

  it("is right to the compiler and the types of OpenAI's client", () => {
    const wrong = 'const x: string = 1;';
    expect(mistakesIn(asTypeScript(ORIGIN, requestOf(ODD), true) + wrong)).toEqual([
      "Type 'number' is not assignable to type 'string'.",
    ]);
  });
});

/** What a program gives the client's `create`. */
async function sentBy(program: string): Promise<unknown> {
  let sent: unknown;
  const create = async (body: unknown) => {
    sent = body;
    return [];
  };
  class OpenAI {
    chat = { completions: { create } };
  }
  const module = ts.transpile(program, { target: ts.ScriptTarget.ES2022 });
  const body = module.replace(/^import .*$/m, '');
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  await new AsyncFunction('OpenAI', body)(OpenAI);
  return sent;
}

function mistakesIn(program: string): string[] {
  const file = fileURLToPath(new URL('shown.ts', import.meta.url));
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    types: ['node'],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = path => path === file || fileExists(path);
  host.readFile = path => (path === file ? program : readFile(path));
  host.getSourceFile = (path, ...rest) =>
    path === file
      ? ts.createSourceFile(path, `export {};${program}`, ts.ScriptTarget.ES2023)
      : getSourceFile(path, ...rest);
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options, host));
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('a request', () => {
  it('is one that the server takes', () => {
    const settings = { system: 'Be kind.', values: { ...INITIAL.values, seed: 1, max_tokens: 5 } };
    const request = buildRequest('tiny-32k', settings, [
      { role: 'user', text: 'a', documents: [{ name: 'd.txt', text: 'document' }] },
      { role: 'assistant', pieces: [{ text: 'b', tokens: [] }] },
      { role: 'user', text: 'c', documents: [] },
    ]);
    expect(validate(chatRequest, request)).toMatchObject({
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'document\n\na' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c' },
      ],
      temperature: 0.7,
      seed: 1,
      max_tokens: 5,
    });
  });
});
