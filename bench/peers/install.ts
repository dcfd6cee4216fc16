/** Makes what the benchmarks compare with: Python environments and a folder of npm packages, all in here. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

function run(command: string, words: readonly string[]): void {
  process.stderr.write(`${command} ${words.join(' ')}\n`);
  const { status, error } = spawnSync(command, words, { cwd: here, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
}

// An old runtime wants an old numpy, and so an environment of its own.
for (const [environment, requirements] of [
  ['.venv', 'requirements.txt'],
  ['.venv-onnxruntime', 'requirements-onnxruntime.txt'],
] as const) {
  run('python3', ['-m', 'venv', environment]);
  run(`${environment}/bin/pip`, ['install', '--requirement', requirements]);
}
run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']);
