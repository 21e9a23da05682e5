import type { JSONPath } from 'jsonc-parser';
import schema from '../../experiment/experiment.schema.json';
import { own } from '../../base/names';

/** The parts of a JSON schema that this one uses. */
export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  default?: unknown;
  description?: string;
  $ref?: string;
}

const ROOT = schema as unknown as Schema & { definitions: Record<string, Schema> };

/** What the schema says of the value at `path`, for the adapter's method; undefined for unknown keys. */
export function schemaAt(path: JSONPath, method: string): Schema | undefined {
  let at: Schema | undefined = ROOT;
  for (const [i, part] of path.entries()) {
    if (typeof part === 'number') at = at?.items;
    else if (i === 1 && path[0] === 'adapter') at = adapterKey(part, method);
    else at = own(at?.properties ?? {}, part);
    at = at && resolved(at);
  }
  return at;
}

/** The keys that an object at `path` may have. */
export function knownKeys(path: JSONPath, method: string): string[] {
  if (path.length === 1 && path[0] === 'adapter') return Object.keys(definitionOf(method).properties ?? {});
  return Object.keys(schemaAt(path, method)?.properties ?? {}).filter((key) => key !== '$schema');
}

/** The values that are listed one by one; empty where any of a type will do. */
export function knownValues(path: JSONPath, method: string): unknown[] {
  const at = schemaAt(path, method);
  if (at?.type === 'boolean') return [true, false];
  return at?.enum ?? at?.anyOf?.flatMap((s) => (s.const !== undefined ? [s.const] : [])) ?? [];
}

/** The sections whose settings a sweep varies. */
const SECTIONS = ['adapter', 'training', 'model', 'task', 'data'];

/** Every setting by its dotted key, as a sweep names them. */
export const settingKeys = (method: string): string[] =>
  SECTIONS.flatMap((section) => knownKeys([section], method).map((key) => `${section}.${key}`));

/** Whether a key stands where a sweep names a setting. */
export const isSweepKey = ([section, part, ...rest]: JSONPath): boolean =>
  section === 'sweep' &&
  ((part === 'parameters' && rest.length === 1) || (part === 'trials' && rest.length === 2));

const definitionOf = (method: string): Schema => own(ROOT.definitions, method) ?? ROOT.definitions.aurora;

/** The method's own definition of a key knows its default; the method itself stands with its choices above. */
function adapterKey(key: string, method: string): Schema | undefined {
  if (key === 'method') return ROOT.properties!.adapter.properties!.method;
  return own(definitionOf(method).properties ?? {}, key);
}

function resolved({ $ref, ...own }: Schema): Schema {
  if ($ref === undefined) return own;
  return { ...ROOT.definitions[$ref.replace('#/definitions/', '')], ...own };
}
