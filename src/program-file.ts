/** Files that threads and processes start with: in the source tree Node needs help with TypeScript. */

/**
 * @param from `import.meta.url` of a file beside it
 * @param name of the program, without its extension; `NAME-from-source.js` stands beside it
 */
export function programFile(from: string, name: string): URL {
  return new URL(from.endsWith('.ts') ? `./${name}-from-source.js` : `./${name}.js`, from);
}
