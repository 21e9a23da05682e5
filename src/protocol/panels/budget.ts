import { isObject } from '../../base/guards';
import type { Budget, Ending } from '../budget';
import { LAYER_METHODS, type MethodName, SIZE_SETTINGS, type SizeSetting } from '../../experiment/methods';
import type { StepCost } from '../step-cost';
import type { PaperReport } from '../../experiment/paper';

/** The subject of the budget panel: an experiment's values, a model, or the paper's shapes. */
export interface BudgetOpen {
  /** The experiment file, absolute. */
  file?: string;
  /** A model's file or folder, absolute. */
  model?: string;
}

/** The values of the page's controls, as typed. Errors are shown beside the control. */
export interface BudgetFields extends Record<SizeSetting, string> {
  /** A ModelChoice's id. */
  model: string;
  targets: 'names' | 'regex' | 'all-linear';
  /** Names or name endings, separated by commas or spaces. */
  names: string;
  /** A regular expression over the whole module path. */
  regex: string;
  method: MethodName;
  alpha: string;
  gridSize: string;
  splineOrder: string;
  spline: string;
  /** The LoRA that the adapter is compared with. */
  loraRank: string;
  /** Tokens per optimizer step. */
  tokens: string;
}

export type FieldName = keyof BudgetFields;

export interface FieldProblem {
  field: FieldName;
  message: string;
  hint?: string;
}

export interface ModelChoice {
  id: string;
  label: string;
  kind: 'experiment' | 'file' | 'paper';
  /** The layers that are usually adapted in it, applied when it is chosen. */
  names?: string;
  loraRank?: number;
}

/** Everything but the results; also sent when the experiment file was edited. */
export interface BudgetSetup {
  type: 'setup';
  models: ModelChoice[];
  fields: BudgetFields;
  experiment?: {
    /** The file's name. */
    name: string;
    /** Settings in the file that affect the result but have no control: "adapter.excludeModules: [\"lm_head\"]". */
    others: string[];
    /** The unusable parts of the file. */
    problems: string[];
  };
}

/** A model whose layers are known. */
export interface ReadyModel {
  state: 'ready';
  label: string;
  source?: string;
  endings: Ending[];
  paper?: PaperReport;
  /** For a model that reads texts, the usual length of one: no more tokens than it has positions for. */
  length?: number;
}

export type ModelState = ReadyModel | { state: 'failed'; label: string; message: string; hint?: string };

/** The answer to the `compute` message with the same number. */
export interface BudgetAnswer {
  type: 'answer';
  seq: number;
  model: ModelState;
  problems: FieldProblem[];
  /** Omitted if there are problems. */
  budget?: Budget;
  /** The changes that "Write to Experiment" would make: "adapter.rank: 2 → 4". Undefined without a file. */
  changes?: string[];
  /** The reason why the choice cannot be written. */
  cannotWrite?: string;
}

/** The cost of a training step with the page's settings, or the reason why it is not known. */
export interface BudgetStep {
  type: 'step';
  seq: number;
  cost?: StepCost;
  problem?: string;
}

export type BudgetToPage =
  | BudgetStep
  | BudgetSetup
  | BudgetAnswer
  /** The model is being read; an answer follows. */
  | { type: 'reading'; label: string }
  | { type: 'written'; ok: boolean; message: string };

export type BudgetFromPage =
  | { type: 'compute'; seq: number; fields: BudgetFields }
  | { type: 'estimate'; seq: number; fields: BudgetFields; batch: number; length: number }
  | { type: 'write'; fields: BudgetFields }
  | { type: 'openFile' }
  | { type: 'copy'; text: string; what: 'modules' | 'curves' | 'summary' };

export const CHOICES: Partial<Record<FieldName, readonly string[]>> = {
  targets: ['names', 'regex', 'all-linear'],
  method: LAYER_METHODS,
};
export const FIELDS: readonly FieldName[] = [
  'model',
  'targets',
  'names',
  'regex',
  'method',
  ...SIZE_SETTINGS,
  'alpha',
  'gridSize',
  'splineOrder',
  'spline',
  'loraRank',
  'tokens',
];
/** Far above any real field; a page that sends more is not ours. */
const LONGEST_FIELD = 100_000;

const isFields = (value: unknown): value is BudgetFields =>
  isObject(value) &&
  FIELDS.every((name) => {
    const field = value[name];
    return (
      typeof field === 'string' && field.length <= LONGEST_FIELD && (CHOICES[name]?.includes(field) ?? true)
    );
  });

/** Validates a message from the page; undefined if invalid. */
export function parseBudgetMessage(message: unknown): BudgetFromPage | undefined {
  if (!isObject(message)) return undefined;
  const { type, seq, fields, text, what, batch, length } = message;
  const counts = [batch, length].every((n) => Number.isSafeInteger(n) && (n as number) > 0);
  if (type === 'estimate' && Number.isSafeInteger(seq) && isFields(fields) && counts)
    return { type, seq: seq as number, fields, batch: batch as number, length: length as number };
  if (type === 'openFile') return { type };
  if (type === 'write' && isFields(fields)) return { type, fields };
  if (type === 'compute' && Number.isSafeInteger(seq) && isFields(fields))
    return { type, seq: seq as number, fields };
  if (
    type === 'copy' &&
    typeof text === 'string' &&
    ['modules', 'curves', 'summary'].includes(what as string)
  )
    return { type, text, what: what as 'modules' };
  return undefined;
}

/** Parses the subject of a panel that a reload restores. */
export function parseBudgetOpen(value: unknown): BudgetOpen | undefined {
  if (!isObject(value)) return undefined;
  const { file, model } = value;
  if (![file, model].every((path) => path === undefined || typeof path === 'string')) return undefined;
  return {
    file: file as string | undefined,
    model: model as string | undefined,
  };
}
