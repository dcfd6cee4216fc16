/** The settings of a schema, one by one, in words: what `courier settings` and docs/settings.md show. */
import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.JSONSchema;
type Properties = Readonly<Record<string, JsonSchema>>;

export interface SettingRow {
  /** Dotted, as `--set` takes it. */
  readonly key: string;
  /** What may be given, such as `integer from 1 to 50`. */
  readonly type: string;
  /** Whether it holds settings, which come after it. */
  readonly group: boolean;
  /** What is taken when it is left out: `default 5`, `needed` or `optional`; nothing for a group with defaults of its own. */
  readonly unlessGiven: string;
  /** null where the schema says nothing. */
  readonly meaning: string | null;
  /** The choice that it belongs to; null for a setting that is always there. */
  readonly where: Condition | null;
}

interface Condition {
  readonly key: string;
  readonly values: readonly string[];
}

/** A schema as JSON Schema, of what the user writes. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input' });
}

/** Every setting with those inside of it after it. */
export function settingRows(schema: z.ZodType): readonly SettingRow[] {
  return rowsInside(jsonSchemaOf(schema), '', null);
}

/** Of an object, or of a choice of objects. */
function rowsInside(schema: JsonSchema, prefix: string, where: Condition | null): readonly SettingRow[] {
  const { choices } = choicesOf(schema);
  const objects = choices.filter(isObject);
  if (objects.length > 1) return variantRows(objects, prefix, where);
  const [object] = objects;
  if (object === undefined) return [];
  return Object.entries(propertiesOf(object)).flatMap(([name, property]) =>
    rowsOf(property, prefix + name, isNeeded(object, name), where),
  );
}

function rowsOf(
  schema: JsonSchema,
  key: string,
  needed: boolean,
  where: Condition | null,
): readonly SettingRow[] {
  const own = {
    key,
    type: typeText(schema),
    group: holdsSettings(schema),
    unlessGiven: unlessGiven(schema, needed),
    meaning: schema.description ?? null,
    where,
  };
  return [own, ...rowsInside(schema, `${key}.`, where)];
}

/** First the setting that chooses, then those of every choice; what several have alike is said once. */
function variantRows(
  variants: readonly JsonSchema[],
  prefix: string,
  where: Condition | null,
): readonly SettingRow[] {
  const names = [...new Set(variants.flatMap((variant) => Object.keys(propertiesOf(variant))))];
  const chooser = names.find((name) =>
    variants.every((variant) => constantsOf(propertiesOf(variant)[name]).length > 0),
  );
  if (chooser === undefined) throw new Error(`Nothing tells the forms of ${prefix} apart`);
  return [chooser, ...names.filter((name) => name !== chooser)].flatMap((name) => {
    const said = saidOf(name, variants, chooser);
    if (name === chooser)
      return rowsOf(
        chooserOf(said),
        prefix + name,
        said.every(({ needed }) => needed),
        where,
      );
    return said.flatMap(({ property, needed, values }) => {
      const always =
        values.length === saidOf(chooser, variants, chooser).flatMap((each) => each.values).length;
      return rowsOf(property, prefix + name, needed, always ? where : { key: prefix + chooser, values });
    });
  });
}

/** What variants say of one setting. */
interface Said {
  readonly property: JsonSchema;
  readonly needed: boolean;
  /** The choices for which it is said. */
  readonly values: readonly string[];
}

function saidOf(name: string, variants: readonly JsonSchema[], chooser: string): readonly Said[] {
  const said = new Map<string, Said>();
  for (const variant of variants) {
    const { [name]: property, [chooser]: chosen } = propertiesOf(variant);
    if (property === undefined) continue;
    const needed = isNeeded(variant, name);
    const text = JSON.stringify([property, needed]);
    const values = [...(said.get(text)?.values ?? []), ...constantsOf(chosen)];
    said.set(text, { property, needed, values });
  }
  return [...said.values()];
}

/** The setting that chooses among variants as one that takes the values of all. */
function chooserOf(said: readonly Said[]): JsonSchema {
  const properties = said.map(({ property }) => property);
  const { const: _, ...chosen } =
    properties.find((property) => property.default !== undefined) ?? properties[0] ?? {};
  return { ...chosen, enum: said.flatMap(({ values }) => values) };
}

function unlessGiven(schema: JsonSchema, needed: boolean): string {
  const value = schema.default;
  if (needed) return 'needed';
  if (value === undefined) return 'optional';
  if (holdsSettings(schema) && JSON.stringify(value) === '{}') return '';
  return `default ${typeof value === 'string' ? value : JSON.stringify(value)}`;
}

function typeText(schema: JsonSchema): string {
  const { choices, nullable } = choicesOf(schema);
  const texts = holdsSettings(schema) ? ['settings below'] : choices.map(valueText);
  return [...texts, ...(nullable ? ['null'] : [])].join(' or ');
}

function valueText(schema: JsonSchema): string {
  const constants = constantsOf(schema);
  if (constants.length > 0) return constants.join(', ');
  switch (schema.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
    case 'number':
      return `${schema.type}${rangeText(schema)}`;
    case 'array':
      return listText(schema);
    case 'object':
      return 'texts by name';
    default:
      return 'text';
  }
}

function listText({ items, prefixItems, minItems, maxItems }: JsonSchema): string {
  const [first = items] = prefixItems ?? [];
  const value = isSchema(first) ? typeText(first) : 'anything';
  const [least = 0, most] =
    prefixItems === undefined ? [minItems, maxItems] : [prefixItems.length, prefixItems.length];
  const length =
    most === undefined
      ? least > 0
        ? ` of ${least} or more`
        : ''
      : ` of ${least === most ? '' : `${least} to `}${most}`;
  return `list${length}: ${value}`;
}

function rangeText({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const most = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? null : numberText(maximum);
  if (typeof exclusiveMinimum === 'number')
    return ` above ${numberText(exclusiveMinimum)}${most === null ? '' : `, at most ${most}`}`;
  if (minimum === undefined || minimum === Number.MIN_SAFE_INTEGER)
    return most === null ? '' : `, at most ${most}`;
  return most === null ? `, at least ${numberText(minimum)}` : ` from ${numberText(minimum)} to ${most}`;
}

function numberText(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 10 });
}

/** The forms that a value may have, without null. */
function choicesOf(schema: JsonSchema): { choices: readonly JsonSchema[]; nullable: boolean } {
  const forms = formsOf(schema);
  const choices = forms.filter(({ type }) => type !== 'null');
  return { choices, nullable: choices.length < forms.length };
}

function formsOf(schema: JsonSchema): readonly JsonSchema[] {
  return (schema.oneOf ?? schema.anyOf)?.flatMap(formsOf) ?? [schema];
}

/** Values that are all there is to choose from, in words. */
function constantsOf(schema: JsonSchema | undefined): readonly string[] {
  return (schema?.enum ?? (schema?.const === undefined ? [] : [schema.const])).map(String);
}

function holdsSettings(schema: JsonSchema): boolean {
  return choicesOf(schema).choices.some(isObject);
}

function isObject({ properties }: JsonSchema): boolean {
  return properties !== undefined;
}

function isNeeded({ required = [] }: JsonSchema, name: string): boolean {
  return required.includes(name);
}

function propertiesOf({ properties = {} }: JsonSchema): Properties {
  return Object.fromEntries(
    Object.entries(properties).filter((entry): entry is [string, JsonSchema] => isSchema(entry[1])),
  );
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
