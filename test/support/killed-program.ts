/** A program that is killed while it works. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs a program of ours, and kills it when it has printed more than so many lines.
 * @returns its lines; the last one may have been cut off, and is left out
 * @throws Error for whatever it complains of
 */
export async function linesUntilKilled(
  program: string,
  words: readonly string[],
  after: number,
): Promise<readonly string[]> {
  const node = ['--import', import.meta.resolve('tsx'), program, ...words];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, problem, heard] = ['', '', 0];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    problem += chunk;
  });
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    heard += chunk.split('\n').length - 1;
    if (heard > after) child.kill('SIGKILL');
  });
  await once(child, 'close');
  if (problem !== '') throw new Error(`${program} complained: ${problem}`);
  return text.split('\n').slice(0, -1);
}
