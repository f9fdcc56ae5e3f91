import { expect, it } from 'vitest';
import { bf16ToF32, f16ToF32 } from '../../src/base/half.js';
import { describeBuilds } from './instance.js';

/**
 * Every 16-bit pattern there is, as a table of 2^16 / width rows: subnormals, infinities and NaN as
 * well.
 */
const PATTERNS = Uint16Array.from({ length: 65_536 }, (_, i) => i);

describeBuilds('embedding', instance => {
  const { kernels } = instance;
  const formats = {
    embedF16: { table: PATTERNS, decode: f16ToF32 },
    embedBF16: { table: PATTERNS, decode: bf16ToF32 },
    embedF32: { table: Float32Array.from(PATTERNS, v => v * -1.5), decode: (x: number) => x },
  };

  /**
   * Rows first … end − 1 of tokens.length rows, stride 16 beyond the width; -1 where nothing was
   * written.
   */
  function run(
    name: keyof typeof formats,
    width: number,
    tokens: number[],
    first: number,
    end: number,
  ) {
    instance.reset();
    const { table } = formats[name];
    const stride = Math.ceil((width + 1) / 16) * 16;
    const source = instance.reserve(table.byteLength);
    instance.bytes(source, table.byteLength).set(new Uint8Array(table.buffer));
    const list = instance.reserve(tokens.length * 4);
    instance.bytes(list, tokens.length * 4).set(new Uint8Array(Uint32Array.from(tokens).buffer));
    const out = instance.reserve(tokens.length * stride * 4);
    kernels[name](out, stride, source, list, width, first, end);
    return { stride, rows: instance.floats(out, tokens.length * stride).slice() };
  }

  it.each(['embedF16', 'embedBF16', 'embedF32'] as const)(
    '%s copies every number exactly and clears the padding',
    name => {
      const { table, decode } = formats[name];
      for (const width of [1, 3, 33, 64, 127]) {
        const tokens = Array.from({ length: Math.floor(table.length / width) }, (_, i) => i).slice(
          -20_000,
        );
        tokens.reverse();
        const { rows, stride } = run(name, width, tokens, 0, tokens.length);
        const expected = new Float32Array(rows.length);
        for (const [r, token] of tokens.entries()) {
          for (let i = 0; i < width; i++)
            expected[r * stride + i] = decode(table[token * width + i]);
        }
        let differing = 0;
        for (let i = 0; i < rows.length; i++) if (!Object.is(rows[i], expected[i])) differing++;
        expect(differing).toBe(0);
      }
    },
  );

  it('writes its rows only', () => {
    for (const name of ['embedF16', 'embedBF16', 'embedF32'] as const) {
      const { rows, stride } = run(name, 20, [5, 9, 5, 7], 1, 3);
      expect(rows.map(v => (Number.isNaN(v) ? 1 : 0)).reduce((a, b) => a + b, 0)).toBe(2 * stride);
      expect(rows.subarray(stride, 3 * stride).some(Number.isNaN)).toBe(false);
    }
  });
});
