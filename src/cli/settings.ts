/** Settings of a command: a configuration file, then `--set`, then the command's own options. */
import { InvalidArgumentError } from 'commander';
import { backboneEncoderSettings } from '../encoders/backbone.ts';
import { CourierError, messageOf } from '../errors.ts';
import { readInput } from '../storage/files.ts';

export type Settings = { [key: string]: unknown };

export interface SettingsOptions {
  /** Path of a JSON file. */
  readonly config?: string | undefined;
  /** `path.to.key=value`; the value is JSON, or text where it is not. */
  readonly set?: readonly string[] | undefined;
}

/** What a recipe sets, and everything else may set otherwise. */
const nothing: Readonly<Settings> = {};

/**
 * Merges everything into one object for the pipeline's schema to check; what comes later wins.
 * @param own the command's own options by dotted key; undefined ones were not given
 * @param recipe what is set where nothing else sets it
 * @throws CourierError FILE_NOT_FOUND; CONFIG_INVALID for a file that is no JSON object or a malformed `--set`
 */
export async function collectSettings(
  options: SettingsOptions,
  own: Readonly<Record<string, unknown>>,
  recipe: Readonly<Settings> = nothing,
): Promise<Settings> {
  const given = options.config === undefined ? {} : await readConfigFile(options.config);
  const settings: Settings = { ...structuredClone(recipe), ...given };
  for (const assignment of options.set ?? []) assign(settings, ...parseAssignment(assignment));
  for (const [key, value] of Object.entries(own)) {
    if (value !== undefined) assign(settings, key.split('.'), value);
  }
  return settings;
}

async function readConfigFile(path: string): Promise<Settings> {
  const text = (await readInput(path, 'Configuration file')).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`${path} is not JSON: ${messageOf(error)}`);
  }
  if (!isSettings(value)) throw invalid(`${path} does not hold a JSON object`);
  return value;
}

function parseAssignment(assignment: string): [string[], unknown] {
  const at = assignment.indexOf('=');
  if (at < 1) throw invalid(`--set takes key=value, not ${assignment}`);
  const text = assignment.slice(at + 1);
  try {
    return [assignment.slice(0, at).split('.'), JSON.parse(text)];
  } catch {
    return [assignment.slice(0, at).split('.'), text];
  }
}

function assign(settings: Settings, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path;
  if (key === '' || key === '__proto__') throw invalid(`--set cannot assign to ${path.join('.')}`);
  if (rest.length === 0) {
    settings[key] = value;
    return;
  }
  const inner = settings[key];
  const object = isSettings(inner) ? inner : {};
  settings[key] = object;
  assign(object, rest, value);
}

export function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(problem: string): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    `Invalid configuration: ${problem}.`,
    'Correct it and run again.',
  );
}

/**
 * Puts a pretrained network in the place of whatever encoder is set: of that nothing is left that a network has not.
 * @param at keys of the encoder
 * @param file undefined where none was given
 */
export function setBackbone(settings: Settings, at: readonly string[], file: string | undefined): void {
  if (file === undefined) return;
  const before = at.reduce<unknown>((inner, key) => (isSettings(inner) ? inner[key] : undefined), settings);
  const kept = Object.entries(isSettings(before) ? before : {}).filter(
    ([key]) => key in backboneEncoderSettings.shape,
  );
  assign(settings, at, { ...Object.fromEntries(kept), name: 'backbone', file });
}

/** `a, b` → ['a', 'b']; a comma within parentheses, brackets or quotation marks belongs to an expression. */
export function list(text: string): string[] {
  const parts = [''];
  let [depth, mark] = [0, ''];
  for (const letter of text) {
    if (mark !== '') mark = letter === mark ? '' : mark;
    else if (letter === "'" || letter === '"') mark = letter;
    else if ('([{'.includes(letter)) depth++;
    else if (')]}'.includes(letter)) depth--;
    if (letter === ',' && depth <= 0 && mark === '') parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim());
}

/**
 * Files by name, separated by commas: `name=FILE`, or a file that is called as it is named.
 * @param own what a file without a name is called; without it by its own name
 * @throws InvalidArgumentError for two files of one name
 */
export function namedFiles(text: string, own?: string): Readonly<Record<string, string>> {
  const files = new Map<string, string>();
  for (const part of list(text)) {
    const [, given, file = part] = /^([^=#/\\]+)=(.+)$/.exec(part) ?? [];
    const stem = file.replace(/^.*[/\\]/, '').replace(/\..*$/, '');
    const name = given ?? own ?? stem;
    const other = files.get(name);
    if (other !== undefined)
      throw new InvalidArgumentError(
        `Two files would be called ${name}: ${other} and ${file}. Give each a name: first=FILE,second=FILE.`,
      );
    files.set(name, file);
  }
  return Object.fromEntries(files);
}

/** A number; text that is none is left for the schema to refuse by key. */
export function number(text: string): number | string {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

/** `3` → [1, 2, 3]; `4,7` → [4, 7] */
export function seeds(text: string): (number | string)[] {
  const values = list(text).map(number);
  const [count] = values;
  if (values.length > 1 || typeof count !== 'number' || !Number.isInteger(count) || count > 1000)
    return values;
  return Array.from({ length: count }, (_, index) => index + 1);
}
