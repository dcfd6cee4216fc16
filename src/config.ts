/** Configuration from outside: parsed by a zod schema, and refused in words that name key and remedy. */
import { core, type z } from 'zod';
import { CourierError } from './errors.ts';

type Issue = z.core.$ZodIssue;

/**
 * Parses a configuration.
 * @param what names the configuration in messages, such as `ingest configuration`
 * @throws CourierError CONFIG_INVALID naming every wrong key, what is wrong with it and what is allowed
 */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => problemOf(issue, schema));
  throw new CourierError('CONFIG_INVALID', `Invalid ${what}: ${problems.join('; ')}.`, remedyFor(problems));
}

/** A list of which nothing may be named twice. */
export function distinct<Entry extends z.ZodType>(list: z.ZodArray<Entry>) {
  return list.refine((entries) => new Set(entries).size === entries.length, 'names something twice');
}

/** The same setting with another default. */
export function withDefault<Inner extends z.ZodType>(
  setting: z.ZodDefault<Inner>,
  value: z.core.util.NoUndefined<z.output<Inner>>,
): z.ZodDefault<Inner> {
  const other = setting.unwrap().default(value);
  return setting.description === undefined ? other : other.describe(setting.description);
}

/**
 * Refuses sizes that do not fit each other, naming both.
 * @throws CourierError CONFIG_INVALID
 */
export function requireDivides(divisorName: string, divisor: number, name: string, value: number): void {
  if (value % divisor === 0) return;
  const problem = `${divisorName} ${divisor} does not divide ${name} ${value}`;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid configuration: ${problem}.`,
    'Choose numbers that divide each other.',
  );
}

function remedyFor(problems: readonly string[]): string {
  return problems.length === 1
    ? 'Correct this setting and run again.'
    : 'Correct these settings and run again.';
}

function problemOf(issue: Issue, schema: z.ZodType): string {
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, issue.path, schema);
  const key = keyOf(issue.path);
  if (issue.code === 'invalid_value') return `${key} must be one of ${listed(issue.values.map(String))}`;
  if (issue.code === 'invalid_union') return unionProblem(issue, schema);
  if (issue.code === 'invalid_type' && issue.input === undefined) return `${key} is missing`;
  return `${key}: ${issue.message}`;
}

function unionProblem(issue: z.core.$ZodIssueInvalidUnion, schema: z.ZodType): string {
  const key = keyOf(issue.path);
  if (issue.discriminator !== undefined) {
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
    // That a name may be left out, where it has a default, is no name.
    const allowed = options.filter((option) => option !== undefined).map(String);
    return allowed.length > 0 ? `${key} must be one of ${listed(allowed)}` : `${key}: ${issue.message}`;
  }
  const branches = issue.errors.map((issues) => issues.map((each) => problemOf(each, schema)).join(' and '));
  return `${key}: none of the allowed forms fits (${branches.join('; or ')})`;
}

function unknownKeys(keys: readonly string[], path: readonly PropertyKey[], schema: z.ZodType): string {
  const names = keys.map((key) => keyOf([...path, key]));
  const allowed = allowedKeys(schema, path);
  return `unknown ${names.length > 1 ? 'keys' : 'key'} ${names.join(', ')}, allowed are ${listed(allowed)}`;
}

/** The keys that the schema knows at a path, in the order of the schema; of every branch of a union. */
function allowedKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const objects = objectsAt(schema);
  const [first, ...rest] = path;
  if (first === undefined)
    return [...new Set(objects.flatMap((object) => Object.keys(object._zod.def.shape)))];
  const inner = objects.flatMap((object) => object._zod.def.shape[String(first)] ?? []);
  return [...new Set(inner.flatMap((each) => allowedKeys(each, rest)))];
}

function objectsAt(schema: z.core.$ZodType): z.core.$ZodObject[] {
  if (schema instanceof core.$ZodObject) return [schema];
  if (schema instanceof core.$ZodUnion) return schema._zod.def.options.flatMap(objectsAt);
  if (schema instanceof core.$ZodDefault || schema instanceof core.$ZodPrefault) {
    return objectsAt(schema._zod.def.innerType);
  }
  if (schema instanceof core.$ZodOptional || schema instanceof core.$ZodNullable) {
    return objectsAt(schema._zod.def.innerType);
  }
  return [];
}

function keyOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'the whole' : `\`${path.map(String).join('.')}\``;
}

function listed(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.map((value) => `\`${value}\``).join(', ');
}
