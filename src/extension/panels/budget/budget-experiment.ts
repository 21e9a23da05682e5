import { findNodeAtLocation, getNodeValue, modify, type Node } from 'jsonc-parser';
import type { OutputChoice } from '../../../adapters/task-output';
import { AuroraError } from '../../../base/errors';
import { adapterDefaults } from '../../../experiment/adapter-defaults';
import schema from '../../../experiment/experiment.schema.json';
import {
  aboutMethod,
  type AdapterSpec,
  DEFAULT_METHOD,
  HEAD_ALONE,
  isMethod,
  LAYER_METHODS,
  METHOD_NAMES,
  type MethodName,
  SIZE_SETTINGS,
  type SizeSetting,
} from '../../../experiment/methods';
import { trainsHead } from '../../../experiment/tasks/registry';
import type { BudgetFields } from '../../../protocol/panels/budget';
import { indentOf, insertProperty, removeProperty } from '../../../runs/experiment/jsonc';
import { adapterProblems } from '../../../runs/experiment/check-value';
import { parseText, type TextError } from '../../../runs/experiment/parse-text';
import type { BudgetChoice } from './compute-budget';

type Json = Record<string, unknown>;

/** Adapter settings that have no control in the calculator. */
export type OtherSettings = Record<string, unknown>;

/** The calculator's input from an experiment's text; if the text has errors, as much as is valid. */
export interface ExperimentValues {
  /** The path as written: relative to the file. */
  modelPath?: string;
  /** The model's output that it trains on. */
  choice: OutputChoice;
  fields: Omit<BudgetFields, 'model' | 'loraRank'>;
  others: OtherSettings;
  problems: string[];
}

/** A setting's default in the schema; LoRA's rank and alpha differ from AuroRA's. */
const adapterDefault = (method: MethodName, key: string): unknown =>
  (schema.definitions[method].properties as Record<string, { default?: unknown }>)[key]?.default;

const isJson = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v);
export function readExperiment(text: string): ExperimentValues {
  const { root: tree, errors } = parseText(text);
  const value: unknown = tree && getNodeValue(tree);
  const root = isJson(value) ? value : {};
  const problems = errors.slice(0, 1).map((e) => textProblem(text, e));
  if (!isJson(value) && problems.length === 0)
    problems.push('The file does not contain an experiment: { … }.');
  const model = section(root, 'model', problems);
  const adapter = section(root, 'adapter', problems);
  const training = section(root, 'training', problems);
  const method = adapter.method ?? DEFAULT_METHOD;
  if (method === HEAD_ALONE.method)
    problems.push('The experiment trains no adapter (method "none"); the costs shown are for AuroRA.');
  else if (!isMethod(method))
    problems.push(
      `adapter.method is ${JSON.stringify(method)}, which is unknown; the costs shown are for AuroRA.`,
    );
  else if (aboutMethod(method).onEmbedding)
    problems.push(
      `${METHOD_NAMES[method]} (adapter.method) are rows of the embedding, which the calculator does not count; the costs shown are for AuroRA.`,
    );
  const known = LAYER_METHODS.find((m) => m === method) ?? DEFAULT_METHOD;
  return {
    ...(typeof model.path === 'string' && { modelPath: model.path }),
    choice: {
      output: typeof model.output === 'string' ? model.output : undefined,
      head: trainsHead(isJson(root.task) ? root.task : {}),
    },
    fields: {
      ...adapterFields(adapter, known),
      tokens: String(tokensPerStep(model, training)),
    },
    others: otherSettings(adapter, known, problems),
    problems,
  };
}

function textProblem(text: string, { message, offset }: TextError): string {
  return `Line ${text.slice(0, offset).split('\n').length}: ${message}.`;
}

function section(root: Json, key: string, problems: string[]): Json {
  const value = root[key] ?? {};
  if (isJson(value)) return value;
  problems.push(`${key} is not an object, so its defaults are shown.`);
  return {};
}

function adapterFields(adapter: Json, method: MethodName): Omit<ExperimentValues['fields'], 'tokens'> {
  const text = (key: string) => {
    const value = [method, ...LAYER_METHODS].reduce(
      (known, m) => known ?? adapterDefault(m, key),
      adapter[key],
    );
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  const targets = adapter.targetModules ?? adapterDefault(method, 'targetModules');
  const names = Array.isArray(targets)
    ? targets.map((name) => (typeof name === 'string' ? name : JSON.stringify(name))).join(', ')
    : '';
  return {
    targets: targets === 'all-linear' ? 'all-linear' : typeof targets === 'string' ? 'regex' : 'names',
    names,
    regex: typeof targets === 'string' && targets !== 'all-linear' ? targets : '',
    method,
    ...(Object.fromEntries(SIZE_SETTINGS.map((key) => [key, text(key)])) as Record<SizeSetting, string>),
    alpha: text('alpha'),
    gridSize: text('gridSize'),
    splineOrder: text('splineOrder'),
    spline: text('spline'),
  };
}

/** Upper bound for one optimizer step: texts are only padded to the longest of their batch. */
function tokensPerStep(model: Json, training: Json): number {
  const { model: m, training: t } = schema.properties;
  const count = (value: unknown, otherwise: number) =>
    Number.isInteger(value) && (value as number) > 0 ? (value as number) : otherwise;
  return (
    count(training.batchSize, t.properties.batchSize.default) *
    count(training.gradientAccumulation, t.properties.gradientAccumulation.default) *
    count(model.maxLength, m.properties.maxLength.default)
  );
}

/** Everything else that the method knows, if its value is valid. */
function otherSettings(adapter: Json, method: MethodName, problems: string[]): OtherSettings {
  const found: Json = {};
  for (const key of Object.keys(schema.definitions[method].properties)) {
    const value = adapter[key];
    if (value === undefined || (SETTINGS as readonly string[]).includes(key)) continue;
    const alone = { ...adapterDefaults(method), [key]: value } as unknown as AdapterSpec;
    if (adapterProblems(alone).every(({ path }) => path[1] !== key)) found[key] = value;
    else problems.push(`adapter.${key} is ${JSON.stringify(value)}, which is not valid and is ignored.`);
  }
  return found;
}

export interface AdapterEdit {
  /** The complete new text; unchanged if there is nothing to change. */
  text: string;
  /** For display, such as "adapter.rank: 2 → 4". */
  changes: string[];
}

/** The settings in the calculator, in the order in which a new section gets them. */
const SETTINGS = [
  'method',
  'targetModules',
  ...SIZE_SETTINGS,
  'alpha',
  'gridSize',
  'splineOrder',
  'spline',
] as const;

/**
 * An experiment's text with the chosen adapter. Only differences are edited: comments, order and layout stay, defaults
 * stay omitted, and settings that the new method does not know are removed. Throws AuroraError `experiment` if the text
 * is not an experiment.
 */
export function writeAdapter(text: string, choice: BudgetChoice, modelPath?: string): AdapterEdit {
  const edit = new Edit(text);
  if (modelPath !== undefined) edit.set(['model', 'path'], modelPath);
  const before = edit.value(['adapter']);
  const current = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : {};
  const known = schema.definitions[choice.method].properties;
  for (const key of Object.keys(current)) if (!Object.hasOwn(known, key)) edit.remove(['adapter', key]);
  for (const key of SETTINGS) {
    if (!Object.hasOwn(known, key)) continue;
    const otherwise = key === 'method' ? DEFAULT_METHOD : adapterDefault(choice.method, key);
    edit.set(['adapter', key], choice[key], otherwise);
  }
  return edit;
}

/** Changes of an experiment's text that keep its comments and layout. */
export class Edit implements AdapterEdit {
  readonly changes: string[] = [];

  constructor(public text: string) {
    if (this.root?.type !== 'object' || parseText(text).errors.length > 0)
      throw new AuroraError(
        'experiment',
        'The file is not valid JSON, so it cannot be edited.',
        'Fix the errors that are marked in its editor first.',
      );
  }

  private get root(): Node | undefined {
    return parseText(this.text).root;
  }

  value(path: string[]): unknown {
    const node = this.root && findNodeAtLocation(this.root, path);
    return node && getNodeValue(node);
  }

  /** `otherwise` is the meaning of a missing key; it is not written. */
  set(path: string[], value: unknown, otherwise?: unknown): void {
    const old = this.value(path);
    if (same(old ?? otherwise, value)) return;
    const [section, key] = path;
    const holder = findNodeAtLocation(this.root!, [section]);
    if (holder?.type !== 'object') {
      this.text = holder
        ? replaceValue(this.text, [section], {})
        : insertProperty(this.text, this.root!, section, '{}');
      return this.set(path, value, otherwise);
    }
    this.text =
      old === undefined
        ? insertProperty(this.text, holder, key, compact(value))
        : replaceValue(this.text, path, value);
    this.changes.push(`${path.join('.')}: ${shown(old ?? otherwise)} → ${shown(value)}`);
  }

  remove(path: string[]): void {
    const node = findNodeAtLocation(this.root!, path)!;
    this.changes.push(`${path.join('.')}: ${shown(getNodeValue(node))} → –`);
    this.text = removeProperty(this.text, node.parent!);
  }
}

/** Without formatting options, `modify` inserts the value and leaves everything around it unchanged. */
function replaceValue(text: string, path: string[], value: unknown): string {
  const [{ offset, length }] = modify(text, path, value, {});
  return text.slice(0, offset) + layout(text, offset, length, value) + text.slice(offset + length);
}

/** A multi-line list stays multi-line. */
function layout(text: string, offset: number, length: number, value: unknown): string {
  if (!Array.isArray(value) || !text.slice(offset, offset + length).includes('\n')) return compact(value);
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const { outer, inner } = indentOf(text, offset);
  return `[${value.map((v) => `${eol}${inner}${JSON.stringify(v)}`).join(',')}${eol}${outer}]`;
}

/** Single-line JSON as usually written: a space after each comma. */
const compact = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map((v) => JSON.stringify(v)).join(', ')}]` : JSON.stringify(value);

const shown = (value: unknown): string => (value === undefined ? '–' : compact(value));

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The single range of `before` that `after` replaces, so that an undo takes one step and the cursor stays. */
export function replacedRange(
  before: string,
  after: string,
): { offset: number; length: number; content: string } {
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return {
    offset: start,
    length: before.length - end - start,
    content: after.slice(start, after.length - end),
  };
}
