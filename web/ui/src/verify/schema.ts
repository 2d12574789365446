/** The part of JSON Schema (2020-12) that docs/evidence.schema.json is written in. A word that it does not know is an error, not a yes. Pure. */
import { microseconds } from './times';
import file from '../../../../docs/evidence.schema.json';

type Schema = Record<string, unknown>;

const DEFS = (file as unknown as { $defs: Record<string, Schema> }).$defs;
const SAID = new Set(['$schema', '$id', 'title', 'description', '$comment']);

/** The alternatives of an event by the types that they are for: each type has one. */
const EVENTS: ReadonlyMap<string, Schema> = new Map(
  ((DEFS['event']?.['oneOf'] ?? []) as { $ref: string }[]).flatMap(({ $ref }) => {
    const alternative = definition($ref);
    const type = (alternative['properties'] as Record<string, Schema>)['type'] ?? {};
    const types = 'const' in type ? [String(type['const'])] : (type['enum'] as string[]);
    return types.map((one) => [one, alternative] as const);
  }),
);
const patterns = new Map<string, RegExp>();

/**
 * Whether a value has a form of the schema: `manifest`, `link`, `seal`, `key_list`, `tombstone`, `replacement`, `derivation`, or `event`, also one of a type that a later
 * gate writes.
 */
export function hasForm(value: unknown, form: string): boolean {
  const schema = DEFS[form];
  if (!schema) throw new Error(`the schema has no form ${form}`);
  return form === 'event' ? isEvent(schema, value) : holds(schema, value);
}

/** There are many events: of the alternatives only that of its type is looked at, since no other can hold. */
function isEvent(schema: Schema, value: unknown): boolean {
  const { type, required, properties } = schema;
  if (!holds({ type, required, properties }, value)) return false;
  const own = value as { type: string };
  const alternative = EVENTS.get(own.type);
  if (!alternative) return true;
  if (!holds(alternative, own)) return false;
  const known = knownTo(alternative, own);
  return Object.keys(own).every((name) => Object.hasOwn(properties as Schema, name) || known.has(name));
}

function holds(schema: Schema, value: unknown): boolean {
  return Object.entries(schema).every(([word, said]) => keyword(word, said, value, schema));
}

function keyword(word: string, said: unknown, value: unknown, schema: Schema): boolean {
  const own = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : null;
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  switch (word) {
    case 'type':
      return typeOf(value) === said;
    case 'const':
      return value === said;
    case 'enum':
      return (said as unknown[]).includes(value);
    case 'pattern':
      return typeof value !== 'string' || patternOf(said as string).test(value);
    case 'format':
      return said === 'date-time' && (typeof value !== 'string' || value === '' || isTime(value));
    case 'minimum':
      return typeof value !== 'number' || value >= (said as number);
    case 'maximum':
      return typeof value !== 'number' || value <= (said as number);
    case 'minLength':
      return typeof value !== 'string' || [...value].length >= (said as number);
    case 'maxLength':
      return typeof value !== 'string' || [...value].length <= (said as number);
    case 'minItems':
      return !Array.isArray(value) || value.length >= (said as number);
    case 'maxItems':
      return !Array.isArray(value) || value.length <= (said as number);
    case 'uniqueItems':
      return (
        !Array.isArray(value) || new Set(value.map((item) => JSON.stringify(item))).size === value.length
      );
    case 'items':
      return !Array.isArray(value) || value.every((item) => holds(said as Schema, item));
    case 'required':
      return !own || (said as string[]).every((name) => Object.hasOwn(own, name));
    case 'properties':
      return (
        !own ||
        Object.entries(properties).every(([name, one]) => !Object.hasOwn(own, name) || holds(one, own[name]))
      );
    case 'additionalProperties':
      return !own || said !== false || Object.keys(own).every((name) => Object.hasOwn(properties, name));
    case 'unevaluatedProperties':
      return !own || said !== false || Object.keys(own).every((name) => knownTo(schema, value).has(name));
    case '$ref':
      return holds(definition(said as string), value);
    case 'oneOf':
      return (said as Schema[]).filter((one) => holds(one, value)).length === 1;
    case 'allOf':
      return (said as Schema[]).every((one) => holds(one, value));
    case 'anyOf':
      return (said as Schema[]).some((one) => holds(one, value));
    default:
      if (SAID.has(word)) return true;
      throw new Error(`the schema says ${word}, which is not known here`);
  }
}

/** Members that a schema speaks of, those of the alternatives that hold among them. */
function knownTo(schema: Schema, value: unknown): Set<string> {
  const alternatives = [...((schema['oneOf'] ?? []) as Schema[]), ...((schema['anyOf'] ?? []) as Schema[])];
  const known = new Set(Object.keys((schema['properties'] ?? {}) as Schema));
  if (schema['$ref']) alternatives.push(definition(schema['$ref'] as string));
  for (const one of alternatives.filter((one) => holds(one, value)))
    for (const name of knownTo(one, value)) known.add(name);
  return known;
}

function isTime(text: string): boolean {
  try {
    microseconds(text);
    return true;
  } catch {
    return false;
  }
}

function patternOf(text: string): RegExp {
  const pattern = patterns.get(text) ?? new RegExp(text, 'u');
  patterns.set(text, pattern);
  return pattern;
}

function definition(ref: string): Schema {
  const found = DEFS[ref.replace('#/$defs/', '')];
  if (!found) throw new Error(`the schema has no ${ref}`);
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value;
}
