import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import * as library from './index.ts';

/** Every command of the library; that they have one shape, the compiler says. */
const commands = {
  ingest: library.ingest,
  pretrain: library.pretrain,
  tune: library.tune,
  embed: library.embed,
  cluster: library.cluster,
  assignClusters: library.assignClusters,
  rank: library.rank,
  compare: library.compare,
  planComparison: library.planComparison,
  explain: library.explain,
  experimentReport: library.experimentReport,
  experimentPower: library.experimentPower,
  describe: library.describe,
  features: library.features,
  evaluate: library.evaluate,
  exportServing: library.exportServing,
  demo: library.demo,
  demoLive: library.demoLive,
  generateShop: library.generateShop,
} satisfies Record<string, (settings: never, options?: library.WorkOptions) => Promise<unknown>>;

const document = await readFile(new URL('../docs/library.md', import.meta.url), 'utf8');

it('docs/library.md names everything that the library exports; a schema goes with its command', () => {
  const code = [...document.matchAll(/```ts\n.*?```|`[^`\n]+`/gs)].join(' ');
  const words = new Set(code.match(/\w+/g));
  const isNamed = (name: string) => words.has(name) || name.replace(/Config$/, '') in commands;
  expect(Object.keys(library).filter((name) => !isNamed(name))).toEqual([]);
});

it('docs/library.md says what every code of an error means', () => {
  const codes = [...document.matchAll(/^\| `([A-Z_]+)` \| .+ \|$/gm)].map(([, code]) => code);
  expect(codes).toEqual(library.errorCodes);
});
