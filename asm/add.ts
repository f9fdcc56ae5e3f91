/** out = x + y over `from … to` floats, both multiples of 4; see `src/ops/add.ts`. */
export function add(out: usize, x: usize, y: usize, from: u32, to: u32): void {
  for (let offset = (<usize>from) << 2, end = (<usize>to) << 2; offset < end; offset += 16) {
    v128.store(out + offset, f32x4.add(v128.load(x + offset), v128.load(y + offset)));
  }
}
