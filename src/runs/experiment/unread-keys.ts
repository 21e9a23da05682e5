import type { JSONPath } from 'jsonc-parser';
import { own } from '../../base/names';
import { nearest } from '../../base/nearest';
import { FORM } from '../../experiment/claim';
import schema from '../../experiment/experiment.schema.json';
import { DEFAULT_METHOD, HEAD_ALONE, METHOD_ORDER } from '../../experiment/methods';
import type { TaskDescription } from '../../experiment/tasks/kind';
import { TASKS } from '../../experiment/tasks/registry';
import { keyPath, type Problem } from './experiment-text';

type Keys = Record<string, { properties?: object }>;

/** The sections whose settings a sweep can vary. */
const SECTIONS = ['model', 'task', 'data', 'adapter', 'training'];

const METHODS: readonly string[] = [...METHOD_ORDER, HEAD_ALONE.method];

/** The method that a name stands for, perhaps misspelt. */
export const meantMethod = (method: unknown): string =>
  typeof method !== 'string' ? DEFAULT_METHOD : (nearest(method, METHODS) ?? DEFAULT_METHOD);

const keysOf = (method: string): string[] =>
  Object.keys(own(schema.definitions as Keys, method)?.properties ?? {});

/**
 * Misspelt keys that are not looked at while something else is wrong: those of an adapter whose method is misspelt too, and
 * the settings of a sweep and of a claim, whose trials are made only of a valid experiment.
 *
 * @param found the problems that are known already
 */
export function unreadKeyProblems(value: unknown, found: readonly Pick<Problem, 'path'>[]): Problem[] {
  const { adapter, sweep, claim } = object(value);
  const known = new Set(found.map(({ path }) => JSON.stringify(path)));
  return [...adapterKeys(object(adapter)), ...sweepKeys(object(sweep)), ...claimKeys(object(claim))].filter(
    ({ path }) => !known.has(JSON.stringify(path)),
  );
}

function adapterKeys(adapter: Record<string, unknown>): Problem[] {
  const { method } = adapter;
  // The schema checks the keys of known methods.
  if (method === undefined || METHODS.includes(method as string)) return [];
  const meant = meantMethod(method);
  const known = keysOf(meant);
  return Object.keys(adapter)
    .filter((key) => !known.includes(key))
    .map((key) => unknown(['adapter', key], key, known, ` for the method ${meant}`));
}

function sweepKeys({ parameters, trials }: Record<string, unknown>): Problem[] {
  return [
    ...settingKeys(parameters, ['sweep', 'parameters']),
    ...(Array.isArray(trials) ? trials.flatMap((t, i) => settingKeys(t, ['sweep', 'trials', i])) : []),
  ];
}

function claimKeys({ first, than, search }: Record<string, unknown>): Problem[] {
  const others = Array.isArray(than)
    ? than.flatMap((side, i) => settingKeys(side, ['claim', 'than', i], [FORM]))
    : settingKeys(than, ['claim', 'than'], [FORM]);
  return [
    ...settingKeys(first, ['claim', 'first'], [FORM]),
    ...others,
    ...settingKeys(object(search).parameters, ['claim', 'search', 'parameters']),
  ];
}

/** Keys that are no settings. @param other keys that are known besides */
function settingKeys(settings: unknown, path: JSONPath, other: readonly string[] = []): Problem[] {
  const known = sweepSettings();
  return Object.keys(object(settings))
    .filter((key) => !isSetting(key, known) && !other.includes(key))
    .map((key) => unknown([...path, key], key, known));
}

/** A section, a setting, or something inside one. */
const isSetting = (key: string, known: readonly string[]): boolean =>
  SECTIONS.includes(key) || known.includes(key.split('.').slice(0, 2).join('.'));

/** Every setting of any method by its dotted key. */
function sweepSettings(): string[] {
  const sections = schema.properties as Keys;
  return SECTIONS.flatMap((section) => {
    const keys =
      section === 'adapter'
        ? [...new Set(METHODS.flatMap(keysOf))]
        : Object.keys(sections[section]!.properties!);
    return keys.map((key) => `${section}.${key}`);
  });
}

function unknown(path: JSONPath, key: string, known: readonly string[], where = ''): Problem {
  const meant = meantKey(key, known);
  const name = path[0] === 'sweep' || path[0] === 'claim' ? key : keyPath(path);
  const message = `${name} is not a known key${where}${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
  return { path, message, atKey: true };
}

const object = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};

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

/** The names in PEFT and transformers of settings that have another name here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  r: 'rank',
  lora_alpha: 'alpha',
  lora_dropout: 'dropout',
  peft_type: 'method',
  modules_to_adapt: 'targetModules',
  targets: 'targetModules',
  lr: 'learningRate',
  num_train_epochs: 'epochs',
  per_device_train_batch_size: 'batchSize',
  gradient_accumulation_steps: 'gradientAccumulation',
  lr_scheduler_type: 'schedule',
  max_grad_norm: 'maxGradientNorm',
  max_seq_length: 'maxLength',
  eval_steps: 'evaluateEvery',
  save_steps: 'checkpointEvery',
};

/** The known key that an unknown one most likely stands for; undefined if none is close. */
export function meantKey(key: string, known: readonly string[]): string | undefined {
  const other = Object.hasOwn(ELSEWHERE, key) ? ELSEWHERE[key] : undefined;
  return other !== undefined && known.includes(other) ? other : nearest(key, known);
}
