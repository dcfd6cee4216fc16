#!/usr/bin/env node
import { main } from './main.ts';
import { stopWhenAsked } from './stop.ts';

const { stdout, stderr } = process;
const signal = stopWhenAsked(stderr);
process.exitCode = await main({ stdout, stderr, signal, program: 'courier', words: process.argv.slice(2) });
