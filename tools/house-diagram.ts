/**
 * The rooms of src and who imports whom, drawn from the code's own imports into docs/architecture.md:
 * `npm run docs:house`, or with `--check` an error where the drawing is not what the code says.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import floors from './floors.json' with { type: 'json' };

const page = 'docs/architecture.md';
const [begin, end] = ['<!-- house: begin -->', '<!-- house: end -->'];

const cruised = z.object({
  modules: z.array(
    z.object({ source: z.string(), dependencies: z.array(z.object({ resolved: z.string() })) }),
  ),
});
type Modules = z.infer<typeof cruised>['modules'];

/** Imports of other rooms by room; files directly in src and the floor of files on disk are under everybody. */
function roomImports(modules: Modules): ReadonlyMap<string, ReadonlySet<string>> {
  const imports = new Map<string, Set<string>>();
  for (const { source, dependencies } of modules) {
    const from = roomOf(source);
    if (from === null) continue;
    const known = imports.get(from) ?? new Set();
    imports.set(from, known);
    for (const { resolved } of dependencies) {
      const to = roomOf(resolved);
      if (to !== null && to !== from && to !== 'storage') known.add(to);
    }
  }
  return imports;
}

function roomOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** Without the arrows that other arrows imply. */
function reduced(imports: ReadonlyMap<string, ReadonlySet<string>>): readonly (readonly [string, string])[] {
  const reaches = (from: string, to: string): boolean =>
    [...(imports.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  return [...imports].flatMap(([from, direct]) =>
    [...direct]
      .filter((to) => ![...direct].some((other) => other !== to && reaches(other, to)))
      .map((to) => [from, to] as const),
  );
}

function diagram(modules: Modules): string {
  const id = (room: string) => `room_${room.replaceAll('-', '_')}`;
  const floorLines = floors.map(
    (rooms, floor) =>
      `  subgraph floor${floor}[" "]\n${rooms.map((room) => `    ${id(room)}["${room}"]`).join('\n')}\n  end`,
  );
  const arrows = reduced(roomImports(modules)).map(([from, to]) => `  ${id(from)} --> ${id(to)}`);
  return ['```mermaid', 'flowchart TB', ...floorLines, ...arrows.sort(), '```'].join('\n');
}

const { stdout } = await promisify(execFile)(
  'npx',
  ['depcruise', '--config', '.dependency-cruiser.js', '--output-type', 'json', 'src'],
  { maxBuffer: 2 ** 28 },
).catch((error: { stdout: string }) => error);
const { modules } = cruised.parse(JSON.parse(stdout));
const text = await readFile(page, 'utf8');
const [before, rest] = text.split(begin);
const after = rest?.split(end)[1];
if (before === undefined || after === undefined) throw new Error(`${page} lacks ${begin} … ${end}`);
const drawn = `${before}${begin}\n${diagram(modules)}\n${end}${after}`;
if (process.argv.includes('--check')) {
  if (drawn !== text) throw new Error(`The diagram in ${page} is stale: run npm run docs:house`);
} else {
  await writeFile(page, drawn);
}
