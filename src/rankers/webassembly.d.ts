/** The part of WebAssembly that is used here: the types of Node 20 have none of it. */
declare namespace WebAssembly {
  class Memory {
    constructor(limits: { readonly initial: number; readonly maximum: number; readonly shared: true });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }

  class Module {
    constructor(bytes: Uint8Array);
  }

  class Instance {
    constructor(module: Module, imports: { readonly env: { readonly memory: Memory } });
    /** Ours take and give numbers alone. */
    readonly exports: Readonly<Record<string, (...numbers: number[]) => number>>;
  }
}
