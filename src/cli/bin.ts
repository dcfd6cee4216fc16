#!/usr/bin/env node
import { main } from './main.ts';

const stop = new AbortController();
process.on('SIGINT', () => {
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
  process.stderr.write('\nStopping at the next safe place; press Ctrl-C again to stop at once.\n');
});

process.exitCode = await main({
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  program: 'courier',
  words: process.argv.slice(2),
});
