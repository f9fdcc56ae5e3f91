/**
 * Which build is used: one that computes other bits never is, however fast; and what is compared is
 * what runs. Where this Node makes no 256-bit code, LLAMA_32K_WIDE_NODE names one that does.
 */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { packageFile } from '../../../src/base/package.js';
import { compileWide } from '../../../src/engines/wasm/choice/compare.js';
import { platform } from '../../../src/engines/wasm/platform/here.js';
import { findWideNode } from '../../asm/wide/node.js';
import { DIST } from '../../support/child.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.resetModules();
});

describe('a build that is compared', () => {
  const F32X4_MUL = [0xfd, 0xe6, 0x01];
  const SUBTRACT = 0xe5; // f32x4.sub

  /**
   * `simd.wasm`, of which one product is a difference: that after `index` thirtieths of all. (After
   * 5 is `dot16OfFour` of an 8-bit cache, at last `expRange`: neither is called in the trial.)
   */
  async function wrongModule(index: number): Promise<WebAssembly.Module> {
    const code = new Uint8Array(await readFile(packageFile('dist/engines/wasm/simd.wasm')));
    const products = [...code.keys()].filter(i =>
      F32X4_MUL.every((byte, j) => code[i + j] === byte),
    );
    code[products[Math.floor((products.length * index) / 30)] + 1] = SUBTRACT;
    return new WebAssembly.Module(code);
  }

  const compare = async (module: WebAssembly.Module) => {
    // At any width, in any compiler: an engine of today computes rightly in both.
    vi.spyOn(platform, 'optimizeAtOnce').mockImplementation(async (name, _, work) =>
      work(name === 'simd' ? await platform.compileModule(name) : module),
    );
    return (await compileWide('relaxed-wide', 'simd')) !== undefined;
  };

  it('is right if it is the same', async () => {
    expect(await compare(await platform.compileModule('simd'))).toBe(true);
  });

  it.each(Array.from({ length: 29 }, (_, i) => i).filter(i => i !== 5))(
    'is wrong with one operation for another: %i',
    async i => {
      expect(await compare(await wrongModule(i))).toBe(false);
    },
  );
});

describe('where V8 makes no 256-bit code', () => {
  const load = async () => {
    vi.spyOn(platform, 'optimizeAtOnce').mockRejectedValue(new Error('a flag is set'));
    vi.doMock('../../../src/engines/wasm/platform/here.js', () => ({
      platform: { ...platform, canWiden: false },
    }));
    return import('../../../src/engines/wasm/choice/compile-kernels.js');
  };
  afterEach(() => vi.doUnmock('../../../src/engines/wasm/platform/here.js'));

  it('auto is what off is, and no flag is set', async () => {
    const { compileKernels } = await load();
    expect(await compileKernels('auto')).toEqual(await compileKernels('off'));
  });

  it.each(['relaxed-wide', 'dot4-wide'] as const)('%s is refused', async build => {
    const { compileKernels } = await load();
    await expect(compileKernels('auto', build)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

const wideNode = findWideNode('the choice of 256-bit code');

describe.skipIf(wideNode === undefined)('where V8 makes 256-bit code', () => {
  const run = (...args: string[]) =>
    execFileSync(wideNode!.path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const script = (body: string, ...flags: string[]) => {
    const imports =
      'import { EMBEDDED_MODEL, loadLlama } from ' +
      `${JSON.stringify(`file://${join(DIST, 'load/model.js')}`)};`;
    return run(...flags, '--input-type=module', '--eval', imports + body);
  };

  it('the command line prints the same logits with --wide auto and off', () => {
    const logits = (wide: string) => {
      const args = ['--tokens', '1,2,300,7', '--weights', 'q8_0', '--wide', wide, '--json'];
      return JSON.parse(run(join(DIST, 'cli/main.js'), 'logits', ...args));
    };
    const [auto, off] = ['auto', 'off'].map(logits);
    expect(auto.logits).toEqual(off.logits);
    expect(off.kernels).toBe('wasm-q8_0');
    expect(auto.kernels).toMatch(/^wasm-q8_0(-wide)?$/); // a clock decides
  });

  it.each(['relaxed', 'dot4'])('%s-wide says so in the name of the engine', build => {
    const names = script(`
      for (const build of ['${build}', '${build}-wide']) {
        const { model } = await loadLlama(EMBEDDED_MODEL, { threads: 1, build });
        console.log(model.engine.name);
        await model.close();
      }`);
    expect(names).toBe('wasm-bf16\nwasm-bf16-wide\n');
  });

  it.each(['f32', 'f16', 'bf16', 'q8_0', 'q4_0'])(
    'no function is optimized after they were compared, at 128 bits: %s',
    weights => {
      const body = `
        const options = { threads: 2, build: 'dot4-wide', weights: '${weights}' };
        const { model } = await loadLlama(EMBEDDED_MODEL, options);
        const sequence = model.createSequence();
        const row = (_, position) => ({ token: position % 300, position, sequence });
        const rows = Array.from({ length: 400 }, row);
        console.log('loaded');
        await model.forward(rows.slice(0, 390));
        for (const row of rows.slice(390)) await model.forward([row]);
        await model.forward(Array.from({ length: 100 }, (_, i) => row(0, 400 + i)));
        await model.close();`;
      const [before, after] = script(body, '--trace-wasm-compilation-times').split('loaded\n');
      const optimized = (text: string) => text.match(/using TurboFan/g)?.length ?? 0;
      expect(optimized(before)).toBeGreaterThan(20);
      expect(optimized(after)).toBeLessThanOrEqual(1); // embedBF16, which copies
    },
  );
});
