/** One of several processes: pre-trains once for each of the settings in a file, one after the other. */
import { readFile } from 'node:fs/promises';
import { pretrain } from '../../src/pipelines/pretrain/index.ts';

const [file] = process.argv.slice(2);
for (const settings of JSON.parse(await readFile(file!, 'utf8'))) await pretrain(settings);
