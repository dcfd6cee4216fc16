#!/usr/bin/env node
import { main } from './main.ts';
import { stopWhenAsked } from './stop.ts';

const { stdout, stderr } = process;
const asking = stopWhenAsked(stderr);
process.exitCode = await main({
  stdout,
  stderr,
  ...asking,
  program: 'courier',
  words: process.argv.slice(2),
});
