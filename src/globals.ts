/**
 * Names that the published types mention and that neither ECMAScript nor Node's types have:
 * TypeScript knows WebAssembly only as a part of browsers. Empty, so that they merge with those
 * where a program has them.
 */
declare global {
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
  }
}

export {};
