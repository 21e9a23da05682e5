import { type BudgetModule, budgetOf } from '../../../adapters/budget/budget';
import { matchAhead } from '../../../adapters/patterns/patterns';
import { patternsOf } from '../../../adapters/targets/targets';
import { AuroraError } from '../../../base/errors';
import { count } from '../../../base/number-text';
import { adapterDefaults } from '../../../experiment/adapter-defaults';
import schema from '../../../experiment/experiment.schema.json';
import {
  aboutMethod,
  type MethodName,
  type SizeSetting,
  SPLINE_READINGS,
  type SplineReading,
  type TrainedSpec,
} from '../../../experiment/methods';
import type { Budget } from '../../../protocol/budget';
import type { BudgetFields, FieldName, FieldProblem } from '../../../protocol/panels/budget';
import type { OtherSettings } from './budget-experiment';

export interface KnownModel {
  modules: readonly BudgetModule[];
  parameters?: number;
}

/** The budget for the form's input, or the errors by field. */
export async function computeBudget(
  fields: BudgetFields,
  model: KnownModel,
  others: OtherSettings,
): Promise<{ budget?: Budget; problems: FieldProblem[] }> {
  const { choice, problems } = parseFields(fields);
  if (!choice) return { problems };
  const spec = specOf(choice, others);
  await matchAhead(
    patternsOf(spec),
    model.modules.map((m) => m.path),
  );
  try {
    const budget = budgetOf(model.modules, spec, {
      modelParameters: model.parameters,
      loraRank: choice.loraRank,
      tokens: choice.tokens,
    });
    return { budget: { ...budget, warnings: [...budget.warnings, ...ignoredSize(spec)] }, problems: [] };
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    const field = fieldOf(e, fields);
    return { problems: [{ field, message: e.message, hint: hintFor(field, model) ?? e.hint }] };
  }
}

/** The core's hints are for a terminal; here the names are above the field. */
function hintFor(field: FieldName, { modules }: KnownModel): string | undefined {
  if (field === 'names') return 'Choose names from the list above.';
  if (field === 'regex') return `It must match a whole path, such as ${modules[0].path}.`;
  return undefined;
}

/** The spec with the method's defaults for settings without a control; of the other settings, those that it knows. */
function specOf(choice: BudgetChoice, others: OtherSettings): TrainedSpec {
  const { method } = choice;
  const defaults = adapterDefaults(method);
  const { properties } = schema.definitions[method];
  const known = Object.entries({ ...others, ...choice }).filter(([key]) => Object.hasOwn(properties, key));
  return { ...defaults, ...Object.fromEntries(known) } as unknown as TrainedSpec;
}

/** An experiment's number of blocks, which has no control, counts instead of their size. */
const ignoredSize = (spec: TrainedSpec): string[] =>
  'blockNum' in spec && spec.blockNum !== undefined
    ? [`The experiment sets adapter.blockNum to ${spec.blockNum}, so the block size is not used.`]
    : [];

/** The form field for an error from the core: for settings without a control, the method's size, or else the method. */
function fieldOf(error: AuroraError, { method, targets }: BudgetFields): FieldName {
  if (error.kind === 'rank')
    return error.message.startsWith("LoRA's rank") ? 'loraRank' : (aboutMethod(method).size ?? 'method');
  if (error.kind !== 'targets') throw error;
  return targets === 'all-linear' ? 'targets' : targets;
}

/** The values of the page's controls. */
export interface BudgetChoice extends Partial<Record<SizeSetting, number>> {
  method: MethodName;
  alpha: number;
  gridSize: number;
  splineOrder: number;
  spline: SplineReading;
  targetModules: string | string[];
  loraRank: number;
  tokens: number;
}

const SIZE_NAMES: Record<SizeSetting, string> = {
  rank: 'The rank',
  frequencies: 'The number of frequencies',
  blockSize: 'The block size',
  sparseRate: 'The share of trained places',
};
const ORDERS = ['1', '2', '3'];
/** Above it a count of parameters is not exact in double precision. */
const LARGEST = 1_000_000_000;

/** Parses the input into values, or reports errors field by field. */
export function parseFields(
  fields: BudgetFields,
): { choice: BudgetChoice; problems: [] } | { choice?: undefined; problems: FieldProblem[] } {
  const problems: FieldProblem[] = [];
  const wrong = (field: FieldName, message: string): number => {
    problems.push({ field, message });
    return 1;
  };
  const whole = (field: FieldName, what: string): number => {
    const text = fields[field].trim();
    const value = Number(text);
    if (text === '') return wrong(field, `${what} is empty. It must be a whole number of at least 1.`);
    if (!Number.isInteger(value) || value < 1)
      return wrong(field, `${what} is ${text}, but it must be a whole number of at least 1.`);
    return value > LARGEST ? wrong(field, `${what} must be at most ${count(LARGEST)}.`) : value;
  };
  const share = (field: FieldName, what: string): number => {
    const value = Number(fields[field]);
    if (value > 0 && value <= 1) return value;
    const given = fields[field].trim() || 'empty';
    return wrong(field, `${what} is ${given}, but it must be above 0 and at most 1.`);
  };
  const sizeIn = (size: SizeSetting): number =>
    size === 'sparseRate' ? share(size, SIZE_NAMES[size]) : whole(size, SIZE_NAMES[size]);
  const { method } = fields;
  const { size, hasAlpha, nonlinear } = aboutMethod(method);
  const alpha = hasAlpha ? Number(fields.alpha) : 1;
  if (hasAlpha && (fields.alpha.trim() === '' || !(alpha > 0 && alpha < Infinity)))
    wrong('alpha', `Alpha is ${fields.alpha.trim() || 'empty'}, but it must be a number above 0.`);
  if (nonlinear && !ORDERS.includes(fields.splineOrder))
    wrong('splineOrder', `The spline's order is ${fields.splineOrder}, but it must be 1, 2 or 3.`);
  const spline = SPLINE_READINGS.find((reading) => reading === fields.spline);
  if (nonlinear && !spline)
    wrong('spline', `The spline is ${fields.spline}, but it must be shared, per-dimension or per-pair.`);
  const choice: BudgetChoice = {
    method,
    // Values of hidden controls are ignored.
    ...(size !== undefined && { [size]: sizeIn(size) }),
    alpha,
    gridSize: nonlinear ? whole('gridSize', 'The number of grid intervals') : 1,
    splineOrder: nonlinear ? Number(fields.splineOrder) : 1,
    spline: spline ?? 'shared',
    targetModules: targetModules(fields, problems),
    loraRank: whole('loraRank', "LoRA's rank"),
    tokens: whole('tokens', 'The number of tokens'),
  };
  return problems.length > 0 ? { problems } : { choice, problems: [] };
}

function targetModules({ targets, names, regex }: BudgetFields, problems: FieldProblem[]): string | string[] {
  if (targets === 'all-linear') return 'all-linear';
  if (targets === 'regex') {
    if (regex.trim() === '')
      problems.push({
        field: 'regex',
        message: 'The expression is empty. It must match whole module paths.',
      });
    return regex.trim();
  }
  const list = splitNames(names);
  if (list.length === 0)
    problems.push({ field: 'names', message: 'No module is selected. Select or type at least one name.' });
  return list;
}

/** "query, value" as a list without duplicates. */
const splitNames = (names: string): string[] => [
  ...new Set(names.split(/[\s,]+/).filter((name) => name !== '')),
];
