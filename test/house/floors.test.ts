/** The rules of `.dependency-cruiser.cjs`: each refuses what it is there for, in a small house. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const stub = (name: string) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({
    name,
    version: '1.0.0',
    main: 'index.js',
  }),
  [`node_modules/${name}/index.js`]: 'exports.x = 1;',
});
const FURNITURE = {
  'package.json': JSON.stringify({
    type: 'module',
    dependencies: { vitest: '1.0.0', '@huggingface/hub': '1.0.0' },
  }),
  'tsconfig.json': '{"compilerOptions": {"module": "NodeNext"}}',
  ...stub('vitest'),
  ...stub('@huggingface/hub'),
};

/** The names of the rules that a house of these files breaks. */
async function brokenRules(files: Readonly<Record<string, string>>): Promise<string[]> {
  const house = await mkdtemp(join(tmpdir(), 'llama-32k-house-'));
  for (const [name, text] of Object.entries({ ...FURNITURE, ...files })) {
    await mkdir(dirname(join(house, name)), { recursive: true });
    await writeFile(join(house, name), text);
  }
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = join(root, '.dependency-cruiser.cjs');
  const args = [program, 'src', '--config', config, '--output-type', 'json'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: house, maxBuffer: 2 ** 26 });
  await rm(house, { recursive: true });
  const { summary } = JSON.parse(stdout.toString());
  const names = summary.violations.map(({ rule }: { rule: { name: string } }) => rule.name);
  return [...new Set<string>(names)].sort();
}

const imports = (...paths: string[]) =>
  `${paths.map((path, i) => `import { x as x${i} } from '${path}';`).join('\n')}
   export const x = [${paths.map((_, i) => `x${i}`).join(', ')}];`;

const SOUND = {
  'src/base/errors.ts': 'export const x = 1;',
  'src/ops/add.ts': imports('../base/errors.js'),
  'src/model/block.ts': imports('../ops/add.js'),
  'src/engines/exact/exact-engine.ts': imports('../../model/block.js'),
  'src/engines/wasm/wasm-engine.ts': imports('../../model/block.js'),
  'src/cli/main.ts': imports('../engines/exact/exact-engine.js', '../engines/wasm/wasm-engine.js'),
};

/** One that is wrong for each rule. */
const WRONG = {
  'src/base/tensor.ts': imports('../ops/add.js'),
  'src/model/llama.ts': imports('../text/y.js'),
  'src/engines/exact/x.ts': imports('../../files/x.js'),
  'src/engines/wasm/x.ts': imports('../exact/exact-engine.js'),
  'src/files/x.ts': 'export const x = 1;',
  'src/text/y.ts': imports('../files/x.js'),
  'src/ops/a.ts': imports('./b.js'),
  'src/ops/b.ts': imports('./a.js'),
  'src/files/gguf/a.ts': imports('../zip/b.js'),
  'src/files/zip/b.ts': 'export const x = 1;',
  'src/files/zip/c.ts': imports('../gguf/d.js'),
  'src/files/gguf/d.ts': 'export const x = 1;',
  'src/model/read.ts': "export { readFile } from 'node:fs';",
  'src/cli/x.ts': imports('vitest'),
  'src/text/hub.ts': imports('@huggingface/hub'),
  'src/text/lonely.ts': 'export const x = 1;',
};

describe('the floors', () => {
  it('hold a house whose imports all go up', async () => {
    expect(await brokenRules(SOUND)).toEqual([]);
  });

  it('refuse each kind of wrong import by the name of its rule', async () => {
    expect(await brokenRules({ ...SOUND, ...WRONG })).toEqual([
      '@huggingface/hub-in-one-place',
      'base-imports-nothing-below',
      'engines-apart',
      'engines-imports-nothing-below',
      'model-imports-nothing-below',
      'no-cycles',
      'no-cycles-between-folders',
      'no-orphans',
      'no-other-packages',
      'node-behind-seams',
    ]);
  });
});
