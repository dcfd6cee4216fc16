import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleReport } from '../../test/support/report.ts';
import { writeReport } from './write.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'courier-report-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeReport', () => {
  it('writes the page, the JSON and the Markdown into a folder that it creates, and nothing else', async () => {
    const run = join(folder, 'run');
    const paths = await writeReport(run, sampleReport());
    expect(paths).toEqual({
      json: join(run, 'report.json'),
      html: join(run, 'report.html'),
      markdown: join(run, 'report.md'),
    });
    expect((await readdir(run)).sort()).toEqual(['report.html', 'report.json', 'report.md']);
    expect(await readFile(paths.html, 'utf8')).toMatch(/^<!doctype html>/);
    expect(await readFile(paths.markdown, 'utf8')).toMatch(/^# plain\n\n\*\*COURIER embeddings lift/);
  });

  it('keeps every number in the JSON and names photos by item id', async () => {
    const report = sampleReport();
    const { json } = await writeReport(folder, report);
    const text = await readFile(json, 'utf8');
    expect(text).not.toContain('data:image');
    const examples = [
      {
        clicked: 'clicked-item',
        history: [
          { item: 'newest-item', weight: 0.75, cosine: 0.5 },
          { item: 'older-item', weight: 0.25, cosine: 0.5 },
        ],
      },
    ];
    expect(JSON.parse(text)).toEqual({ ...report, examples });
  });

  it('refuses a number that JSON would turn into null, and says where it is', async () => {
    const report = { ...sampleReport(), attention: { clicks: 3, hitRate: NaN, chance: 0.3 } };
    const invalid = { code: 'VALUE_INVALID', message: 'report.attention.hitRate is NaN.' };
    await expect(writeReport(folder, report)).rejects.toMatchObject(invalid);
    expect(await readdir(folder)).toEqual([]);
  });

  it('says so when the folder cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const promise = writeReport(join(folder, 'file'), sampleReport());
    await expect(promise).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' });
  });
});
