import { getNodeValue } from 'jsonc-parser';
import { parseText, type TextError } from '../../../runs/experiment/parse-text';
import type { OutputChoice } from '../../../adapters/task-output';
import schema from '../../../experiment/experiment.schema.json';
import {
  type AuroraSpec,
  DEFAULT_METHOD,
  HEAD_ALONE,
  isMethod,
  type LoraSpec,
  METHOD_ORDER,
  type MethodName,
} from '../../../experiment/methods';
import { trainsHead } from '../../../experiment/tasks/registry';
import type { BudgetFields } from '../../../protocol/panels/budget';

type Json = Record<string, unknown>;

/** Adapter settings that have no control in the calculator but affect the result. */
export type OtherSettings = Partial<
  Pick<
    AuroraSpec & LoraSpec,
    | 'excludeModules'
    | 'layersToTransform'
    | 'layersPattern'
    | 'rankPattern'
    | 'alphaPattern'
    | 'fixed'
    | 'learnable'
  >
>;

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
export const adapterDefault = (method: MethodName, key: string): unknown =>
  (schema.definitions[method].properties as Record<string, { default?: unknown }>)[key]?.default;

const isJson = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v);
const isNames = (v: unknown) =>
  typeof v === 'string' || (Array.isArray(v) && v.length > 0 && v.every((e) => typeof e === 'string'));
const isNumbers = (v: unknown) => isJson(v) && Object.values(v).every((n) => typeof n === 'number' && n > 0);
const isBoolean = (v: unknown) => typeof v === 'boolean';

const OTHERS: Record<keyof OtherSettings, (value: unknown) => boolean> = {
  excludeModules: isNames,
  layersToTransform: (v) => Array.isArray(v) && v.every((n) => Number.isInteger(n) && n >= 0),
  layersPattern: (v) => typeof v === 'string' && v !== '',
  rankPattern: (v) => isNumbers(v) && Object.values(v as Json).every(Number.isInteger),
  alphaPattern: isNumbers,
  fixed: isBoolean,
  learnable: isBoolean,
};

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
  const known = isMethod(method) ? method : DEFAULT_METHOD;
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
    const value = [method, ...METHOD_ORDER].reduce(
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
    rank: text('rank'),
    alpha: text('alpha'),
    gridSize: text('gridSize'),
    splineOrder: text('splineOrder'),
    frequencies: text('frequencies'),
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

function otherSettings(adapter: Json, method: MethodName, problems: string[]): OtherSettings {
  const found: Json = {};
  for (const [key, fits] of Object.entries(OTHERS)) {
    if (adapter[key] === undefined || !Object.hasOwn(schema.definitions[method].properties, key)) continue;
    if (fits(adapter[key])) found[key] = adapter[key];
    else
      problems.push(`adapter.${key} is ${JSON.stringify(adapter[key])}, which is not valid and is ignored.`);
  }
  return found;
}
