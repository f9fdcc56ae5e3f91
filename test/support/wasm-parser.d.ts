/** The parser comes without types; this is the part that `test/asm/module.test.ts` uses. */
declare module '@webassemblyjs/wasm-parser' {
  export function decode(
    bytes: Uint8Array,
    options: { readonly ignoreCodeSection: boolean; readonly ignoreDataSection: boolean },
  ): { readonly body: readonly [{ readonly fields: never[] }] };
}
