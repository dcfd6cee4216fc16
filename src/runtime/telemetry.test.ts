import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { bindings } from './binding.ts';
import { side } from './product-model.ts';

const program = fileURLToPath(new URL('../../test/support/quiet-program.ts', import.meta.url));

it.each(bindings.flatMap((binding) => ['main', 'thread'].map((thread) => [binding, thread] as const)))(
  'ONNX Runtime keeps nothing to send home, and leaves nothing in the temporary folder: %s, started in a %s thread',
  async (binding, thread) => {
    const folder = await temporaryFolder();
    const [home, temporary] = [join(folder, 'home'), join(folder, 'temporary')];
    for (const path of [home, temporary]) await mkdir(path);
    // Where tests are run by a service, it would be quiet by itself.
    const quiet = /^(CI|ORT_.*|XDG_.*|TF_BUILD|GITHUB_ACTIONS|SYSTEM_TEAMFOUNDATIONCOLLECTIONURI)$/;
    const kept = Object.entries(process.env).filter(([name]) => !quiet.test(name));
    const env = { ...Object.fromEntries(kept), HOME: home, TMPDIR: temporary };
    const words = ['--import', import.meta.resolve('tsx'), program, binding, thread];
    const { stdout } = await promisify(execFile)(process.execPath, words, { env });
    expect(stdout).toBe(`${side}\n`);
    expect(await readdir(home)).toEqual([]);
    // The loader of TypeScript keeps what it has compiled.
    expect((await readdir(temporary)).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
  },
);
