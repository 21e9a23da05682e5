import { own } from '../../base/names';
import schema from '../../experiment/experiment.schema.json';
import type { TaskDescription } from '../../experiment/tasks/kind';
import { TASKS } from '../../experiment/tasks/registry';
import { meantMethod } from './unread-keys';

type Section = Record<string, unknown>;

/**
 * Fills in the defaults of a kind of task that differ from the schema's, before the schema fills in the others.
 *
 * @param value an experiment file's content, which may be wrong
 */
export function fillOwnDefaults(value: unknown): void {
  if (!isObject(value)) return;
  const task = isObject(value.task) ? value.task : {};
  const kind = typeof task.type === 'string' ? own<TaskDescription>(TASKS, task.type) : undefined;
  for (const [key, setting] of Object.entries(kind?.defaults?.(task) ?? {})) {
    const [section, name] = key.split('.') as [string, string];
    const at = own(value, section) ?? {};
    if (!isObject(at) || own(at, name) !== undefined) continue;
    if (section === 'adapter' && !isOfMethod(at, name)) continue;
    Object.assign(at, { [name]: structuredClone(setting) });
    Object.assign(value, { [section]: at });
  }
}

/** True if a method has the setting: "none" has no targets. */
function isOfMethod({ method }: Section, name: string): boolean {
  const definitions = schema.definitions as Record<string, { properties?: object }>;
  return Object.hasOwn(own(definitions, meantMethod(method))?.properties ?? {}, name);
}

const isObject = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
