import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';

/** What `npm run house` says of a source tree, a line a violation. */
async function violationsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const root = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const program = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const words = [program, '--config', resolve('.dependency-cruiser.js'), '--output-type', 'err', 'src'];
  const ran = promisify(execFile)(process.execPath, words, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });
  const { stdout } = await ran.catch((failed: { readonly stdout: string }) => failed);
  return stdout.split('\n').flatMap((line) => /^ +error (.+)$/.exec(line)?.[1] ?? []);
}

const value = 'export const value = 1;\n';
const uses = (path: string) => `import { value } from '${path}';\nexport const used = value;\n`;

it('the house stands where imports point down', async () => {
  const files = {
    'src/cli/bin.ts': uses('../pipelines/embed/index.ts'),
    'src/pipelines/embed/index.ts': `export * from '../../data/photos.ts';\n${value}`,
    'src/data/photos.ts': 'export const photos = 1;\n',
  };
  expect(await violationsOf(files)).toEqual([]);
});

it('every kind of wrong import is told by a line that names rule and files', async () => {
  const files = {
    'src/cli/bin.ts': [
      'graph/up',
      'pipelines/embed/index',
      'metrics/round',
      'attic/box',
      'report/page',
      'text',
    ]
      .map((path) => `import '../${path}.ts';\n`)
      .join(''),
    'src/graph/up.ts': uses('../data/photos.ts'),
    'src/data/photos.ts': value,
    'src/pipelines/embed/index.ts': uses('../cluster/index.ts'),
    'src/pipelines/cluster/index.ts': value,
    'src/metrics/round.ts': "import './about.ts';\n",
    'src/metrics/about.ts': "import './round.ts';\n",
    'src/metrics/lonely.ts': value,
    'src/attic/box.ts': value,
    'src/report/page.ts': uses('../rankers/din.ts'),
    'src/rankers/din.ts': value,
    'src/text.ts': uses('./data/photos.ts'),
  };
  const found = (await violationsOf(files)).join('\n');
  for (const line of [
    'graph-imports-only-downward: src/graph/up.ts → src/data/photos.ts',
    'pipelines-do-not-import-each-other: src/pipelines/embed/index.ts → src/pipelines/cluster/index.ts',
    'report-imports-only-downward: src/report/page.ts → src/rankers/din.ts',
    'every-room-has-a-floor: src/cli/bin.ts → src/attic/box.ts',
    'ground-imports-no-room: src/text.ts → src/data/photos.ts',
    'no-orphan: src/metrics/lonely.ts',
  ])
    expect(found).toContain(line);
  expect(found).toMatch(/no-circle: src\/metrics\/(round|about)\.ts/);
});
