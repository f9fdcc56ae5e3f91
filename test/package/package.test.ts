import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Installed, install, runNode, runProgram, runTool } from './installed.js';

/**
 * The most that the files of a folder take unpacked, in bytes, and why they are there. All of it is
 * 20 MB, of which the conformance pack is the most.
 */
const BUDGET: Record<string, number> = {
  // tiny-32k, so that everything works without a download: 2.1 million parameters in bfloat16
  'golden/tiny-32k': 4_400_000,
  // what runs (1.9 MB, of which five builds of the kernels 0.4), types (0.4 MB), and maps, which
  // lead a debugger and an editor to src
  dist: 5_100_000,
  // small models, texts and numbers for other implementations, of which the models are the most
  'golden/conformance': 7_000_000,
  // the code is written to be read: what maps and "go to definition" show
  src: 2_100_000,
  // the same for the kernels
  asm: 230_000,
  '': 80_000,
};

/** Two tokens of text by the model that comes with the package. */
const GENERATE = `
  const generating = async ({ complete, loadModel }) => {
    const { model, tokenizer, close } = await loadModel(undefined, { threads: 1 });
    const { tokens } = await complete(model, tokenizer, 'Mira', { maxNewTokens: 2 });
    await close();
    console.log(tokens.length);
  };
`;

let installed: Installed;
beforeAll(async () => {
  installed = await install();
}, 120_000);
afterAll(() => installed.remove());

describe('what is packed', () => {
  it('has in every folder no more bytes than its budget', () => {
    const sizes = Object.fromEntries(Object.keys(BUDGET).map(folder => [folder, 0]));
    for (const { path, size } of installed.files) sizes[folderOf(path)] += size;
    for (const [folder, size] of Object.entries(sizes)) {
      expect(size, folder).toBeLessThanOrEqual(BUDGET[folder]);
      expect(size, folder).toBeGreaterThan(0);
    }
  });

  it('has a source for each compiled file, and nothing that a build remembers', () => {
    const paths = installed.files.map(({ path }) => path);
    const sources = paths.filter(path => /^dist\/.*\.js$/.test(path)).map(sourceOf);
    expect(sources.filter(path => !paths.includes(path))).toEqual([]);
    expect(paths.filter(path => /(^|\/)\./.test(path))).toEqual([]);
  });

  it('is right to publint', async () => {
    const said = await runTool('.', 'publint/src/cli.js', 'run', '--strict', installed.tarball);
    expect(said).toContain('All good!');
  });

  // Node can require() modules since 20.19, the oldest one that is supported.
  it('has types that every resolution of Node 16 and later finds', async () => {
    const options = ['--profile', 'node16', '--format', 'ascii', '--ignore-rules'];
    const cli = '@arethetypeswrong/cli/dist/index.js';
    const said = await runTool('.', cli, installed.tarball, ...options, 'cjs-resolves-to-esm');
    expect(said).toContain('node16 (from CJS): 🟢'); // a problem would be an exit code of 1
  });
});

describe('a program in a path with a blank', () => {
  it('imports it', async () => {
    const text = `import * as llama from 'llama-32k';${GENERATE} await generating(llama);`;
    expect(await runProgram(installed.folder, 'module.js', text)).toBe('2\n');
  });

  it('requires it', async () => {
    const text = `${GENERATE} generating(require('llama-32k'));`;
    expect(await runProgram(installed.folder, 'common.cjs', text)).toBe('2\n');
  });

  it('imports its other entries', async () => {
    const text = `
      import { openSafetensors } from 'llama-32k/safetensors';
      import { Tokenizer } from 'llama-32k/tokenizer';
      import * as ops from 'llama-32k/ops';
      import { compareWithModel } from 'llama-32k/oracle';
      console.log(typeof openSafetensors, typeof Tokenizer, Object.keys(ops).length > 5);
      console.log(typeof compareWithModel);
    `;
    const said = await runProgram(installed.folder, 'entries.js', text);
    expect(said).toBe('function function true\nfunction\n');
  });

  it('uses it in a worker thread', async () => {
    const worker = `import * as llama from 'llama-32k';${GENERATE} await generating(llama);`;
    await writeFile(join(installed.folder, 'worker.js'), worker);
    const text = `
      import { Worker } from 'node:worker_threads';
      new Worker(new URL('./worker.js', import.meta.url)).on('error', error => { throw error; });
    `;
    expect(await runProgram(installed.folder, 'workers.js', text)).toBe('2\n');
  });

  it('runs its command through a link, as npm installs it', async () => {
    const bin = join(installed.folder, 'node_modules/.bin');
    await mkdir(bin);
    await symlink('../llama-32k/dist/cli/main.js', join(bin, 'llama-32k'), 'file');
    const said = await runNode(installed.folder, join(bin, 'llama-32k'), 'tokenize', 'Mira');
    expect(said).toMatch(/^\d/);
  });
});

describe('a bundle that leaves the package external', () => {
  it.each([
    ['esm', 'bundle.js'],
    ['cjs', 'bundle.cjs'],
  ] as const)('%s', async (format, file) => {
    const input = join(installed.folder, 'entry.js');
    const text = `import { complete, loadModel } from 'llama-32k';${GENERATE}`;
    await writeFile(input, `${text} generating({ complete, loadModel });`);
    const bundle = await rolldown({ input, external: [/^llama-32k/], logLevel: 'silent' });
    await bundle.write({ format, file: join(installed.folder, file) });
    await bundle.close();
    expect(await runNode(installed.folder, file)).toBe('2\n');
  });
});

describe('a TypeScript program that checks its libraries', () => {
  const TYPES = fileURLToPath(new URL('../../node_modules/@types', import.meta.url));
  const PROGRAM = `
    import { type GenerateOptions, generate, LlamaError, loadModel } from 'llama-32k';
    import { Tokenizer } from 'llama-32k/tokenizer';
    export async function* texts(options: GenerateOptions): AsyncGenerator<string> {
      const { model, tokenizer } = await loadModel();
      if (!(tokenizer instanceof Tokenizer)) throw new LlamaError('BAD_TOKENIZER', 'none');
      for await (const { text } of generate(model, tokenizer, 'x', options)) yield text;
    }
  `;

  it.each([
    ['of Node alone', ['ES2023'], ['node']],
    ['of Node and browsers', ['ES2023', 'DOM'], ['node']],
    ['of browsers alone', ['ES2023', 'DOM'], []],
  ])('as a module and as CommonJS, with the types %s', async (_, lib, types) => {
    for (const name of ['typed.ts', 'typed.cts'])
      await writeFile(join(installed.folder, name), PROGRAM);
    const compilerOptions = {
      ...{ module: 'NodeNext', target: 'ES2022', lib, strict: true, noEmit: true },
      ...{ skipLibCheck: false, typeRoots: [TYPES], types },
    };
    const config = { compilerOptions, files: ['typed.ts', 'typed.cts'] };
    await writeFile(join(installed.folder, 'tsconfig.json'), JSON.stringify(config));
    expect(await runTool(installed.folder, 'typescript/lib/tsc.js', '-p', '.')).toBe('');
  });
});

function folderOf(path: string): string {
  const folders = Object.keys(BUDGET).filter(folder => path.startsWith(`${folder}/`));
  return folders[0] ?? '';
}

function sourceOf(path: string): string {
  return path.replace(/^dist/, 'src').replace(/\.js$/, '.ts');
}
