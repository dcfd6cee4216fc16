/** Answers each line of standard input by embedding a folder of photos: {"seconds": …}. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AutoModel, AutoProcessor, env, RawImage } from '@huggingface/transformers';

const { folder, models, name, threads } = JSON.parse(process.argv[2]);
env.allowRemoteModels = false;
env.localModelPath = models;
const options = { local_files_only: true, dtype: 'fp32', session_options: { intraOpNumThreads: threads } };
const model = await AutoModel.from_pretrained(name, options);
const processor = await AutoProcessor.from_pretrained(name, options);
const paths = readdirSync(folder)
  .sort()
  .map((file) => join(folder, file));
const batch = 32;

process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
for await (const _ of createInterface({ input: process.stdin })) {
  const start = performance.now();
  for (let from = 0; from < paths.length; from += batch) {
    const images = await Promise.all(paths.slice(from, from + batch).map((path) => RawImage.read(path)));
    await model(await processor(images));
  }
  process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - start) / 1000 })}\n`);
}
