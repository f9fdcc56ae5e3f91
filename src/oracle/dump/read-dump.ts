/** A dump in files. */
import type { LlamaConfig } from '../../model/config.js';
import { checkDump, type Dump, type DumpOptions } from './check-dump.js';
import { openDump } from './dump-files.js';

/**
 * Reads a .safetensors, a .npz or a directory of .npy.
 * @throws {LlamaError} as `openDump` and `checkDump` do.
 */
export async function readDump(
  path: string,
  config: LlamaConfig,
  options: DumpOptions = {},
): Promise<Dump> {
  const given = await openDump(path);
  try {
    return await checkDump(given, config, options);
  } finally {
    await given.close();
  }
}
