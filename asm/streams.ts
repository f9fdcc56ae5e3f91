/**
 * In how many places at once one row, or a few, read weights, which come from memory.
 *
 * x should stay in the first level of the cache, and weights that stream through push it out. So
 * two tiles are read in step, a run of a few thousand bytes of each: what there is of x is used
 * twice, and memory delivers two streams faster than one. They lie far apart, each of them half of
 * all tiles: what is fetched ahead of a stream is wasted where it ends, and tiles are short. Below
 * 128 KiB each, one stream is faster (docs/LOG.md).
 */
const STREAMS: usize = 2;
const LEAST_BYTES: usize = 0x20000;

/** How many tiles each stream reads: half of them, or all. */
// @ts-ignore: decorator
@inline
export function streamLength(tiles: usize, tileBytes: usize): usize {
  const half = tiles / STREAMS;
  return half * tileBytes >= LEAST_BYTES ? half : tiles;
}

/** How many there are of that length: two, or one. An odd tile is left over. */
// @ts-ignore: decorator
@inline
export function streamCount(tiles: usize, length: usize): usize {
  return min(STREAMS, tiles / length);
}
