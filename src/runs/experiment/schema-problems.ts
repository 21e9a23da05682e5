import type { AnySchemaObject, ErrorObject } from 'ajv';
import { editDistance, nearest } from '../../base/nearest';
import { count } from '../../base/number-text';
import { either } from '../../base/text';
import { DEFAULT_METHOD } from '../../experiment/methods';
import { capped, keyPath, MOST_PROBLEMS, type Problem } from './experiment-text';
import { meantKey } from './unread-keys';

/** Violations of the schema in words: one problem per place, naming key, value and the expected one. */
export function schemaProblems(errors: readonly ErrorObject[], value: unknown): Problem[] {
  const places = new Map<string, { path: (string | number)[]; error: ErrorObject }>();
  for (const error of errors) {
    // "if" only repeats that its "then" failed.
    if (error.keyword === 'if') continue;
    const path = pathOf(error.instancePath, value);
    const key = JSON.stringify([...path, ...keyOf(error)]);
    // "anyOf" comes after the errors of its branches and covers them all.
    if (!places.has(key) || error.keyword === 'anyOf') places.set(key, { path, error });
  }
  // An unknown key is more informative than that no branch fits.
  const misspelt = new Set(
    [...places.values()].flatMap(({ path, error }) =>
      error.keyword === 'additionalProperties' ? [JSON.stringify(path)] : [],
    ),
  );
  for (const [key, { path, error }] of places)
    if (error.keyword === 'anyOf' && misspelt.has(JSON.stringify(path))) places.delete(key);
  // Messages take longer to make than places, so only the problems that are shown get one.
  const shown = [...places.values()].slice(0, MOST_PROBLEMS).map(({ path, error }) => problemAt(path, error));
  const more = places.size - shown.length;
  return more > 0 ? capped([...shown, { path: [], message: '', more }]) : shown;
}

/** The key that an object's error is about. */
const keyOf = ({ keyword, params }: ErrorObject): string[] =>
  keyword === 'additionalProperties'
    ? [params.additionalProperty as string]
    : keyword === 'required'
      ? [params.missingProperty as string]
      : [];

function problemAt(path: (string | number)[], error: ErrorObject): Problem {
  const schema = error.parentSchema as AnySchemaObject;
  const [key] = keyOf(error);
  if (error.keyword === 'additionalProperties')
    return { path: [...path, key], message: unknownKey(path, key, schema, error.data), atKey: true };
  if (error.keyword === 'required') {
    const what = schema.properties[key].description;
    return {
      path: [...path, key],
      message: `${keyPath([...path, key])} is missing${what ? `: ${what}` : ''}`,
    };
  }
  const long = tooMuch(error, path);
  if (long !== undefined) return { path, message: long };
  const given = JSON.stringify(error.data);
  const shown = given.length > 60 ? `${given.slice(0, 57)}…` : given;
  const name = path.length > 0 ? keyPath(path) : 'the experiment';
  return { path, message: `${name} is ${shown}, expected ${expected(schema)}${meant(error.data, schema)}` };
}

/** A misspelled choice differs from the right one by so many letters. */
const TYPO = 2;

/** The choice that a misspelled value probably means, as the end of a sentence. */
function meant(value: unknown, schema: AnySchemaObject): string {
  if (typeof value !== 'string') return '';
  const choices = ((schema.enum ?? []) as unknown[]).filter((v) => typeof v === 'string');
  const close = nearest(value, choices);
  if (close === undefined || close.length <= TYPO + 1 || editDistance(value, close) > TYPO) return '';
  return `; did you mean "${close}"?`;
}

/** For a value that exceeds a limit of the schema, its size instead of its content; for a path, the character that it cannot have. */
function tooMuch(
  { keyword, params, data, propertyName, parentSchema }: ErrorObject,
  path: (string | number)[],
): string | undefined {
  const limit = params.limit === undefined ? undefined : count(params.limit as number);
  const name = keyPath(path);
  switch (keyword) {
    case 'maxLength':
      return propertyName === undefined
        ? `${name} has ${count((data as string).length)} characters, more than the ${limit} allowed`
        : `${name} has a key of ${count(propertyName.length)} characters, more than the ${limit} allowed`;
    case 'maxItems':
      // For a list of fixed length, the general message states the expected length.
      return parentSchema!.minItems === params.limit
        ? undefined
        : `${name} has ${count((data as unknown[]).length)} entries, more than the ${limit} allowed`;
    case 'maxProperties':
      return `${name} has ${count(Object.keys(data as object).length)} keys, more than the ${limit} allowed`;
    case 'pattern':
      return `${name} contains the character U+0000, which no path can`;
    default:
      return undefined;
  }
}

function unknownKey(path: (string | number)[], key: string, schema: AnySchemaObject, data: unknown): string {
  const known = Object.keys(schema.properties ?? {}).filter((k) => k !== '$schema');
  const method = keyPath(path) === 'adapter' && ((data as { method?: string }).method ?? DEFAULT_METHOD);
  const where = method ? ` for the method ${method}` : '';
  const close = meantKey(key, known);
  const help = close ? `did you mean "${close}"?` : `known keys here: ${known.join(', ')}`;
  return `${keyPath([...path, key])} is not a known key${where}; ${help}`;
}

/** The values that a schema allows, as the end of a sentence. */
function expected(schema: AnySchemaObject): string {
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return either(schema.enum.map((v: unknown) => JSON.stringify(v)));
  if (schema.anyOf) return either(schema.anyOf.map(expected));
  if (Array.isArray(schema.type)) return either(schema.type.map((type) => expected({ ...schema, type })));
  switch (schema.type) {
    case 'integer':
      return `a ${schema.multipleOf ? `multiple of ${schema.multipleOf}` : 'whole number'}${bounds(schema)}`;
    case 'number':
      return `a number${bounds(schema)}`;
    case 'string':
      return schema.minLength ? 'a non-empty string' : 'a string';
    case 'boolean':
      return 'true or false';
    case 'array': {
      const count = schema.minItems === schema.maxItems ? `${schema.minItems} entries` : 'entries';
      return `a list of ${count}${schema.items ? `, each ${expected(schema.items)}` : ''}`;
    }
    default:
      return 'an object: { … }';
  }
}

function bounds(schema: AnySchemaObject): string {
  const words = [
    schema.minimum !== undefined && `of at least ${schema.minimum}`,
    schema.exclusiveMinimum !== undefined && `above ${schema.exclusiveMinimum}`,
    schema.maximum !== undefined && `at most ${schema.maximum}`,
    schema.exclusiveMaximum !== undefined && `below ${schema.exclusiveMaximum}`,
  ].filter((w) => w !== false);
  return words.length > 0 ? ` ${words.join(' and ')}` : '';
}

/** A JSON pointer as keys and indices; the value determines which of the two a number is. */
function pathOf(pointer: string, value: unknown): (string | number)[] {
  let at = value;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const step = Array.isArray(at) ? Number(key) : key;
      at = (at as Record<string | number, unknown>)[step];
      return step;
    });
}
