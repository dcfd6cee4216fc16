/** What `kernels/embedding-table.ts` compiles to, working on a memory. */
import { readFileSync } from 'node:fs';
import type { LinearMemory } from './linear-memory.ts';

let compiled: WebAssembly.Module | null = null;

/** Compiled once for all tables. */
function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(
    readFileSync(new URL('./kernels/embedding-table.wasm', import.meta.url)),
  );
  return compiled;
}

const names = [
  'describeTable',
  'describeSteps',
  'gather',
  'findDistinct',
  'sumGradients',
  'spread',
  'sumInAnyOrder',
  'adagrad',
  'adam',
] as const;

export type Kernels = Readonly<Record<(typeof names)[number], (...numbers: number[]) => number>>;

/** @param memory that all addresses are of */
export function kernelsOn({ memory }: LinearMemory): Kernels {
  const { exports } = new WebAssembly.Instance(kernelModule(), { env: { memory } });
  const own = (name: (typeof names)[number]) => {
    const found = exports[name];
    if (found === undefined) throw new Error(`the kernels have no ${name}`);
    return found;
  };
  return {
    describeTable: own('describeTable'),
    describeSteps: own('describeSteps'),
    gather: own('gather'),
    findDistinct: own('findDistinct'),
    sumGradients: own('sumGradients'),
    spread: own('spread'),
    sumInAnyOrder: own('sumInAnyOrder'),
    adagrad: own('adagrad'),
    adam: own('adam'),
  };
}
