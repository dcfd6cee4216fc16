import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examplesOf } from './examples.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const compiler = join(repository, 'node_modules/typescript/bin/tsc');
const examples = examplesOf(await readFile(join(repository, 'docs/library.md'), 'utf8'));

let folder: string;
const inside = (...parts: string[]) => join(folder, ...parts);

/** Packs the repository as it is and installs the package into an empty folder, as a user would. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'courier-package-'));
  await run('npm', ['run', 'build'], { cwd: repository });
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: repository });
  const [{ filename }] = JSON.parse(packed.stdout);
  await writeFile(inside('package.json'), JSON.stringify({ private: true, type: 'module' }));
  const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', [...install, inside(filename)], { cwd: folder });
  await mkdir(inside('work'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the compiler says of files of the folder and of the types of the installed package; nothing if all is well. */
async function compile(files: readonly string[], resolution: 'node16' | 'bundler', types: readonly string[]) {
  const compilerOptions = {
    ...{ target: 'es2022', strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true, types },
    ...{ module: resolution === 'node16' ? 'node16' : 'esnext', moduleResolution: resolution },
    ...{ rootDir: '.', outDir: resolution, typeRoots: [join(repository, 'node_modules/@types')] },
  };
  const config = inside(`tsconfig.${resolution}.json`);
  await writeFile(config, JSON.stringify({ compilerOptions, files }));
  try {
    await run(process.execPath, [compiler, '-p', config], { cwd: folder });
    return '';
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return `${error.message}${error.stdout}`;
    throw error;
  }
}

describe('the installed package', () => {
  it('runs the demo with npx', async () => {
    const settings = {
      'shop.items': 60,
      'shop.shoppers': 12,
      'shop.pageViews': 240,
      'shop.photoSide': 16,
      side: 16,
      'compare.pretrain.steps': 2,
      'compare.pretrain.batchSize': 16,
      'compare.ranker.epochs': 1,
      'compare.diagnosis': false,
    };
    const words = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const { stdout } = await run('npx', ['--no-install', 'courier', 'demo', '--json', ...words], {
      cwd: folder,
    });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, html: 'runs/demo/report.html' });
  });

  it('has its recipes with it', async () => {
    const words = [
      '--no-install',
      'courier',
      'ingest',
      '--json',
      '--recipe',
      'mind',
      '--data',
      'nowhere',
      '--out',
      'x',
    ];
    const { stdout } = await run('npx', words, { cwd: folder }).catch((error: { stdout: string }) => error);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('nowhere') },
    });
  });

  describe.each(['node16', 'bundler'] as const)('under moduleResolution %s', (resolution) => {
    it('has types that every example of docs/library.md goes by', async () => {
      const files = examples.map((_, place) => `example-${place + 1}.ts`);
      for (const [place, { program }] of examples.entries()) await writeFile(inside(files[place]!), program);
      expect(await compile(files, resolution, ['node'])).toBe('');
    });

    it('has types without those of Node, and they refuse a setting of a wrong type', async () => {
      await writeFile(inside('right.ts'), "import { auc } from 'courier-rec';\nexport const metric = auc;\n");
      expect(await compile(['right.ts'], resolution, [])).toBe('');
      const wrong = "import { pretrain } from 'courier-rec';\nawait pretrain({ dataset: 1, out: 'run' });\n";
      await writeFile(inside('wrong.ts'), wrong);
      const said = await compile(['wrong.ts'], resolution, []);
      expect(said.match(/error .*/g)).toEqual([
        "error TS2322: Type 'number' is not assignable to type 'string'.",
      ]);
    });
  });

  it('shows the library in examples', () => {
    expect(examples.length).toBeGreaterThan(10);
  });

  it.each(examples.map((example, place) => ({ ...example, file: `example-${place + 1}.js` })))(
    'does what docs/library.md says: $name',
    async ({ file, prints }) => {
      const { stdout } = await run(process.execPath, [inside('node16', file)], { cwd: inside('work') });
      expect(stdout.trimEnd().split('\n')).toEqual(prints);
    },
  );

  it('makes an encoder that onnxruntime-web runs, to the same unit vectors', async () => {
    const program = `
      import { writeFile } from 'node:fs/promises';
      import { Engine, ExportedEncoder, loadDataset } from 'courier-rec';
      const { images } = await loadDataset('dataset');
      const photos = images.read([0, 1, 2]);
      const engine = Engine.start();
      const encoder = await ExportedEncoder.open('runs/encoder/encoder.onnx', images.side, engine);
      const vectors = await encoder.embed(photos);
      await engine.close();
      images.close();
      await writeFile('photos.json', JSON.stringify({ side: images.side, photos: [...photos], vectors: [...vectors] }));
    `;
    await writeFile(inside('embed.js'), program);
    await run(process.execPath, [inside('embed.js')], { cwd: inside('work') });
    const { side, photos, vectors } = JSON.parse(await readFile(inside('work', 'photos.json'), 'utf8'));
    const session = await InferenceSession.create(
      new Uint8Array(await readFile(inside('work', 'runs', 'encoder', 'encoder.onnx'))),
    );
    const pixels = new Tensor('uint8', Uint8Array.from(photos), [3, side, side, 3]);
    const { embeddings } = await session.run({ photos: pixels });
    const found = embeddings?.data;
    if (!(found instanceof Float32Array)) throw new Error('the embeddings are no float32');
    const width = found.length / 3;
    for (const row of [0, 1, 2]) {
      expect(Math.hypot(...found.subarray(row * width, (row + 1) * width))).toBeCloseTo(1, 5);
    }
    expect(found.length).toBe(vectors.length);
    expect(
      Math.max(...vectors.map((value: number, place: number) => Math.abs(value - found[place]!))),
    ).toBeLessThan(1e-4);
    await session.release();
  });
});
