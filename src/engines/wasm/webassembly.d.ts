/**
 * The part of the WebAssembly API that the engine uses. TypeScript has it only among the browser's
 * globals, which Node is not.
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }

  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }

  /**
   * Sizes in pages of 65,536 bytes. A shared memory's buffer object changes when the memory grows:
   * ask for it anew.
   */
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }

  function validate(bytes: Uint8Array): boolean;
  function compile(bytes: Uint8Array): Promise<Module>;
}
