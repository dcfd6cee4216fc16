#!/usr/bin/env node
import { main } from './main.ts';
import { outliveReaders } from './output.ts';
import { stopWhenAsked } from './stop.ts';

const { stdout, stderr } = process;
outliveReaders(stdout, stderr);
const asking = stopWhenAsked(stderr);
process.exitCode = await main({
  stdout,
  stderr,
  ...asking,
  program: 'courier',
  words: process.argv.slice(2),
});
