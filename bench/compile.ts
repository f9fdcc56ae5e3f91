/**
 * A few lines of AssemblyScript, compiled in memory: for loops that measure the machine, not the
 * project.
 */

type Feature = 'simd' | 'bulk-memory' | 'threads' | 'relaxed-simd';

/** The memory is imported and shared. */
export async function compileAssemblyScript(
  source: string,
  enable: readonly Feature[],
): Promise<Uint8Array> {
  // By a name that TypeScript does not follow: the compiler's types declare another `console` for
  // everybody.
  const { default: asc } = await import('assemblyscript/asc' as string);
  const { error, stderr, binary } = await asc.compileString(source, {
    optimizeLevel: 3,
    runtime: 'stub',
    noAssert: true,
    enable,
    importMemory: true,
    sharedMemory: true,
    initialMemory: 1,
    maximumMemory: 65_536,
  });
  if (error) throw new Error(stderr.toString());
  return binary;
}
