/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Names that the published types mention and that neither ECMAScript nor Node's types have:
 * TypeScript knows WebAssembly only as a part of browsers. Empty, so that they merge with those
 * where a program has them. Above it, what `AsyncDisposable` is, for programs without Node's types.
 */
declare global {
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
  }
}

export {};
