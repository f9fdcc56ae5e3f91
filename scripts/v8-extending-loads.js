/**
 * `node --no-liftoff --experimental-wasm-revectorize scripts/v8-extending-loads.js`: two extending
 * loads of WebAssembly that lie side by side in memory, of which the code has the one with the
 * higher address first. V8 13.6 and 14.1 load both halves 8 bytes too high (docs/v8.md). Says what
 * each of the six instructions gives in either order; exit code 1 if one is wrong.
 *
 * Needs nothing but Node: the module is put together here. Its functions, in WebAssembly's text:
 *
 *   (func (export "8x8_s, high first") (param $out i32) (param $in i32)
 *     (local $low v128) (local $high v128)
 *     (local.set $high (v128.load8x8_s offset=8 (local.get $in)))
 *     (local.set $low (v128.load8x8_s (local.get $in)))
 *     (v128.store (local.get $out) (local.get $low))
 *     (v128.store offset=16 (local.get $out) (local.get $high)))
 */

/** By opcode, from 1 on: what it reads, and what it makes of that. */
const LOADS = [
  { name: '8x8_s', Narrow: Int8Array, Wide: Int16Array },
  { name: '8x8_u', Narrow: Uint8Array, Wide: Int16Array },
  { name: '16x4_s', Narrow: Int16Array, Wide: Int32Array },
  { name: '16x4_u', Narrow: Uint16Array, Wide: Int32Array },
  { name: '32x2_s', Narrow: Int32Array, Wide: BigInt64Array },
  { name: '32x2_u', Narrow: Uint32Array, Wide: BigInt64Array },
];
const ORDERS = ['low first', 'high first'];
const [IN, OUT] = [64, 1024];

const [OUT_POINTER, IN_POINTER, LOW, HIGH] = [0, 1, 2, 3]; // locals
const [I32, V128] = [0x7f, 0x7b];

const memory = new WebAssembly.Memory({ initial: 1 });
const functions = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()), {
  env: { memory },
}).exports;
const bytes = new Uint8Array(memory.buffer);
for (let i = 0; i < OUT; i++) bytes[i] = i * 37;

let wrong = 0;
for (const load of LOADS) {
  for (const order of ORDERS) {
    const title = `${load.name}, ${order}`;
    /** @type {Function} */ (functions[title])(OUT, IN);
    const got = hex(bytes.subarray(OUT, OUT + 32));
    const right = hex(widened(load));
    wrong += got === right ? 0 : 1;
    console.log(`${title.padEnd(18)} ${got === right ? 'right' : `WRONG: ${got}, not ${right}`}`);
  }
}
console.log(`V8 ${process.versions.v8}: ${wrong} of ${LOADS.length * ORDERS.length} are wrong`);
process.exitCode = wrong === 0 ? 0 : 1;

/**
 * What the 16 bytes at IN are, each number in twice its width.
 * @param {typeof LOADS[number]} load
 */
function widened({ Narrow, Wide }) {
  const numbers = [...new Narrow(memory.buffer, IN, 16 / Narrow.BYTES_PER_ELEMENT)];
  const wide = Wide === BigInt64Array ? Wide.from(numbers, BigInt) : Wide.from(numbers);
  return new Uint8Array(wide.buffer);
}

function moduleBytes() {
  const all = LOADS.flatMap(({ name }, i) =>
    ORDERS.map(order => ({ title: `${name}, ${order}`, opcode: i + 1, order })),
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [[0x60, 2, I32, I32, 0]]), // types
    ...section(2, [[...name('env'), ...name('memory'), 0x02, 0x00, 1]]), // imports
    ...section(
      3,
      all.map(() => [0]),
    ), // functions
    ...section(
      7,
      all.map(({ title }, i) => [...name(title), 0x00, i]),
    ),
    ...section(
      10,
      all.map(({ opcode, order }) => body(opcode, order)),
    ),
  ]);
}

/**
 * @param {number} opcode
 * @param {string} order
 */
function body(opcode, order) {
  const load = (/** @type {number} */ offset, /** @type {number} */ to) => [
    ...[0x20, IN_POINTER, 0xfd, opcode, 0, offset, 0x21, to],
  ];
  const store = (/** @type {number} */ offset, /** @type {number} */ from) => [
    ...[0x20, OUT_POINTER, 0x20, from, 0xfd, 0x0b, 0, offset],
  ];
  const [low, high] = [load(0, LOW), load(8, HIGH)];
  const loads = order === 'low first' ? [...low, ...high] : [...high, ...low];
  const code = [1, 2, V128, ...loads, ...store(0, LOW), ...store(16, HIGH), 0x0b];
  return [...leb(code.length), ...code];
}

/**
 * @param {number} id
 * @param {number[][]} entries
 */
function section(id, entries) {
  const content = [...leb(entries.length), ...entries.flat()];
  return [id, ...leb(content.length), ...content];
}

/** @param {string} text */
function name(text) {
  return [text.length, ...Buffer.from(text)];
}

/** A number below 2^14. @param {number} n */
function leb(n) {
  return n < 128 ? [n] : [(n & 127) | 128, n >> 7];
}

/** @param {Uint8Array} part */
function hex(part) {
  return Buffer.from(part).toString('hex');
}
