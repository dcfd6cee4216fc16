/** Compiles the AssemblyScript of `src` to the WebAssembly files beside it, which are kept in the repository. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

export const kernelSource = new URL('../src/rankers/kernels/embedding-table.ts', import.meta.url);
export const kernelFile = new URL('../src/rankers/kernels/embedding-table.wasm', import.meta.url);

/** What the source compiles to. @throws Error with what the compiler says */
export async function compileKernels(source: URL): Promise<Uint8Array> {
  const name = 'embedding-table.ts';
  const text = await readFile(source, 'utf8');
  let compiled: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      ...[
        name,
        '--outFile',
        'embedding-table.wasm',
        '--runtime',
        'stub',
        '--optimizeLevel',
        '3',
        '--converge',
      ],
      ...['--enable', 'simd,threads,bulk-memory', '--noAssert', '--use', 'abort='],
      // Memory comes from outside, shared, so that views of it outlive its growth.
      ...['--importMemory', '--sharedMemory', '--maximumMemory', '65536'],
    ],
    {
      readFile: (path) => (path === name ? text : null),
      writeFile: (path, contents) => {
        if (path.endsWith('.wasm') && typeof contents !== 'string') compiled = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || compiled === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`);
  return compiled;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(kernelFile, await compileKernels(kernelSource));
}
