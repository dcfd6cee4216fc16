/** The version of this package and of what its numbers depend on. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const packageSchema = z.object({
  name: z.string(),
  version: z.string(),
  engines: z.object({ node: z.string().regex(/^>=\d+\.\d+$/) }),
  dependencies: z.record(z.string(), z.string()),
});

// The package file lies beside both src/ and dist/.
const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
const { name, version, engines, dependencies } = packageSchema.parse(JSON.parse(text));

export { version };

/** The oldest Node.js that this package runs on, as `major.minor`. */
export const oldestNode = engines.node.slice(2);

/** Versions for a manifest. */
export function versions(): Record<string, string> {
  const numerical = ['onnxruntime-node', 'sharp', '@duckdb/node-api'].map((dependency) => [
    dependency,
    dependencies[dependency] ?? 'unknown',
  ]);
  return { [name]: version, node: process.versions.node, ...Object.fromEntries(numerical) };
}
