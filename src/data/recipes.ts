/** Recipes: how known data are ingested, and with which settings they are compared, as files of `recipes`. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { exists, readInput } from '../storage/files.ts';
import { isQuery } from './sources/input-files.ts';

const folder = fileURLToPath(new URL('../../recipes/', import.meta.url));

const settings = z.record(z.string(), z.unknown());

const schema = z.strictObject({
  about: z.string(),
  ingest: settings,
  compare: settings.optional(),
});

/** Settings with the folder of the data in them. */
export interface Recipe {
  /** What the data are, and which files the folder has to hold. */
  readonly about: string;
  readonly ingest: Readonly<Record<string, unknown>>;
  readonly compare: Readonly<Record<string, unknown>>;
}

/** The names of the recipes that come with the package. */
export async function recipeNames(): Promise<readonly string[]> {
  return (await readdir(folder))
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'))
    .sort();
}

/**
 * A recipe, by its name or as a file of one's own. Every `{data}` in it is the folder of the data; a list of texts where a path
 * is asked for is one query over several lines.
 * @throws CourierError CONFIG_INVALID for an unknown name, and for a file that is no recipe
 */
export async function readRecipe(named: string, data: string): Promise<Recipe> {
  const own = join(folder, `${named}.json`);
  const path = /^[\w-]+$/.test(named) && (await exists(own)) ? own : named;
  if (path === named && !(await exists(named)))
    throw new CourierError(
      'CONFIG_INVALID',
      `There is no recipe ${named}, neither by that name nor as a file.`,
      `Name a file, or one of ${(await recipeNames()).join(', ')}.`,
    );
  const text = (await readInput(path, 'Recipe')).toString('utf8');
  const parsed = schema.safeParse(parseJson(text, path));
  if (!parsed.success) throw noRecipe(path, z.prettifyError(parsed.error));
  const { about, ingest, compare = {} } = parsed.data;
  return { about, ingest: settings.parse(filled(ingest, data)), compare };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw noRecipe(path, String(error));
  }
}

function noRecipe(path: string, why: string): CourierError {
  const remedy =
    'A recipe is a JSON object with `about`, `ingest` and, if wanted, `compare`: see docs/data.md.';
  return new CourierError('CONFIG_INVALID', `${path} is no recipe: ${why}`, remedy);
}

/** Puts the folder of the data into every text. */
function filled(value: unknown, data: string): unknown {
  if (typeof value === 'string') return withData(value, data);
  if (Array.isArray(value)) return value.map((each) => filled(each, data));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]: [string, unknown]) => {
      const lines = key === 'path' && Array.isArray(each) ? each.join('\n') : each;
      return [key, filled(lines, data)];
    }),
  );
}

/** In a query the folder stands within a text in quotation marks. */
function withData(text: string, data: string): string {
  return text.replaceAll('{data}', isQuery(text) ? data.replaceAll("'", "''") : data);
}
