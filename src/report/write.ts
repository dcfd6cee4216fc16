/** Writes a report into a run folder, for programs as JSON, for people as a page and as Markdown. */
import { join } from 'node:path';
import { CourierError } from '../errors.ts';
import { writeFileWhole, writeJson } from '../storage/files.ts';
import { withOutputFolder } from '../storage/lock.ts';
import { reportMarkdown } from './markdown.ts';
import { reportPage } from './page.ts';
import type { Report } from './report.ts';

export interface WrittenReport {
  readonly json: string;
  readonly html: string;
  readonly markdown: string;
}

/**
 * Writes `report.json`, `report.html` and `report.md`. The page holds its photos; the JSON names them by item id.
 *
 * @param folder created when it does not exist
 * @returns the paths of the three files
 * @throws CourierError VALUE_INVALID, naming the place, when a number is not finite; OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE
 */
export async function writeReport(folder: string, report: Report): Promise<WrittenReport> {
  const { manifest: _free, ...results } = report;
  checkFinite(results, 'report');
  const path = (extension: string) => join(folder, `report.${extension}`);
  const written = { json: path('json'), html: path('html'), markdown: path('md') };
  return withOutputFolder(folder, async () => {
    await writeJson(written.json, withoutPictures(report));
    await writeFileWhole(written.html, reportPage(report));
    await writeFileWhole(written.markdown, reportMarkdown(report));
    return written;
  });
}

function withoutPictures(report: Report) {
  const examples = report.examples.map(({ clicked, history }) => ({
    clicked: clicked.item,
    history: history.map(({ photo, weight, cosine }) => ({ item: photo.item, weight, cosine })),
  }));
  return { ...report, examples };
}

/** JSON would write NaN and Infinity as null, which reads as "there is none". */
export function checkFinite(value: unknown, place: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const remedy = 'Look for the stage that diverged or had no data, and run it again.';
    throw new CourierError('VALUE_INVALID', `${place} is ${value}.`, remedy);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) checkFinite(inner, `${place}.${key}`);
}
