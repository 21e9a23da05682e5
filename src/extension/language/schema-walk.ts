import type { JSONPath } from 'jsonc-parser';
import { t } from '../../base/l10n';
import { own } from '../../base/names';
import { nearest } from '../../base/nearest';
import schema from '../../experiment/experiment.schema.json';
import type { ExperimentText } from '../../runs/experiment/experiment-text';
import type { LocatedProblem } from '../../runs/experiment/load';
import { meantKey } from '../../runs/experiment/unread-keys';
import type { Fix } from './finding';

/** The parts of a JSON schema that this one uses. */
export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  default?: unknown;
  description?: string;
  $ref?: string;
}

const ROOT = schema as unknown as Schema & { definitions: Record<string, Schema> };

/** The schema at `path`, for the adapter's method; undefined for unknown keys. */
export function schemaAt(path: JSONPath, method: string): Schema | undefined {
  let at: Schema | undefined = ROOT;
  for (const [i, part] of path.entries()) {
    if (typeof part === 'number') at = at?.items ?? at?.anyOf?.find((form) => form.items)?.items;
    else if (i === 1 && path[0] === 'adapter') at = adapterKey(part, method);
    else at = own(at?.properties ?? {}, part) ?? anyKey(at);
    at = at && resolved(at);
  }
  return at;
}

/** The schema of the values of an object with any keys. */
const anyKey = (at: Schema | undefined): Schema | undefined =>
  typeof at?.additionalProperties === 'object' ? at.additionalProperties : undefined;

/** The allowed keys of an object at `path`. */
function knownKeys(path: JSONPath, method: string): string[] {
  if (path.length === 1 && path[0] === 'adapter') return Object.keys(definitionOf(method).properties ?? {});
  return Object.keys(schemaAt(path, method)?.properties ?? {}).filter((key) => key !== '$schema');
}

/** The enumerated values; empty if any value of a type is allowed. */
function knownValues(path: JSONPath, method: string): unknown[] {
  const at = schemaAt(path, method);
  if (at?.type === 'boolean') return [true, false];
  return at?.enum ?? at?.anyOf?.flatMap((s) => (s.const !== undefined ? [s.const] : (s.enum ?? []))) ?? [];
}

/** The sections whose settings a sweep can vary. */
const SECTIONS = ['adapter', 'training', 'model', 'task', 'data'];

/** Every setting by its dotted key, as sweeps name them. */
export const settingKeys = (method: string): string[] =>
  SECTIONS.flatMap((section) => knownKeys([section], method).map((key) => `${section}.${key}`));

/** True if a key is in a place where a sweep names a setting. */
export const isSweepKey = ([section, part, ...rest]: JSONPath): boolean =>
  section === 'sweep' &&
  ((part === 'parameters' && rest.length === 1) || (part === 'trials' && rest.length === 2));

const definitionOf = (method: string): Schema => own(ROOT.definitions, method) ?? ROOT.definitions.aurora;

/** A key's default comes from the method's own definition. `method` itself is listed with its choices above. */
function adapterKey(key: string, method: string): Schema | undefined {
  if (key === 'method') return ROOT.properties!.adapter.properties!.method;
  return own(definitionOf(method).properties ?? {}, key);
}

function resolved({ $ref, ...own }: Schema): Schema {
  const at = $ref === undefined ? own : { ...ROOT.definitions[$ref.replace('#/definitions/', '')], ...own };
  // The form with keys, if there are several.
  const keyed = at.properties ? undefined : at.anyOf?.map(resolved).find((form) => form.properties);
  return keyed ? { ...keyed, ...at, properties: keyed.properties } : at;
}

/** The keys or values that a schema problem's key or value may stand for. */
export function schemaFixes(
  doc: ExperimentText,
  { from, path: at, atKey }: LocatedProblem,
  method: string,
): Fix[] {
  const path = settingOf(at);
  const inSweep = isSweepKey(path);
  const node = from === 'schema' || atKey || inSweep ? doc.node(...path) : undefined;
  if (!node || path.length === 0) return [];
  const key = path.at(-1)!;
  const parent = path.slice(0, -1);
  const keys = inSweep ? settingKeys(method) : knownKeys(parent, method);
  if (typeof key === 'string' && keys.length > 0 && !keys.includes(key)) {
    const likely = meantKey(
      key,
      keys.filter((k) => !doc.node(...parent, k)),
    );
    if (likely === undefined) return [];
    const text = JSON.stringify(likely);
    return [{ ...doc.keySpan(node), text, title: t('Change to {0}', text), preferred: true }];
  }
  if (from !== 'schema') return [];
  const written = knownValues(path, method).map((v) => JSON.stringify(v));
  const likely = nearest(JSON.stringify(node.value ?? null), written);
  return written.map((text) => ({
    offset: node.offset,
    length: node.length,
    text,
    title: t('Change to {0}', text),
    preferred: text === likely,
  }));
}

/** Without the place in the list of values of a sweep's setting. */
const settingOf = (path: JSONPath): JSONPath =>
  path[0] === 'sweep' && path[1] === 'parameters' && typeof path[3] === 'number' ? path.slice(0, 3) : path;
