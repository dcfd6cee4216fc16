/** The command line in this process, with what it printed. */
import { Writable } from 'node:stream';
import { main } from '../../src/cli/main.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of standard output, which `--json` makes an object. */
  readonly json: Record<string, unknown>;
}

export async function courier(...words: string[]): Promise<Ran> {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const exitCode = await main({
    stdout,
    stderr,
    signal: new AbortController().signal,
    onHangUp: () => {},
    program: 'courier',
    words,
  });
  const last = stdout.text.trimEnd().split('\n').at(-1) ?? '';
  return {
    exitCode,
    stdout: stdout.text,
    stderr: stderr.text,
    json: last.startsWith('{') ? JSON.parse(last) : {},
  };
}

class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}
