/** Makes what the benchmarks compare with: a Python environment and a folder of npm packages, both in here. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

function run(command: string, words: readonly string[]): void {
  process.stderr.write(`${command} ${words.join(' ')}\n`);
  const { status, error } = spawnSync(command, words, { cwd: here, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
}

run('python3', ['-m', 'venv', '.venv']);
run('.venv/bin/pip', ['install', '--requirement', 'requirements.txt']);
run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']);
