import { aboutMethod, type MethodName } from '../../../experiment/methods';
import type { BudgetFields, FieldName, FieldProblem } from '../../../protocol/panels/budget';
import { count } from '../../../base/number-text';

/** The values of the page's controls. */
export interface BudgetChoice {
  method: MethodName;
  rank: number;
  alpha: number;
  gridSize: number;
  splineOrder: number;
  frequencies: number;
  targetModules: string | string[];
  loraRank: number;
  tokens: number;
}

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
  const { method } = fields;
  const { size, hasAlpha, nonlinear } = aboutMethod(method);
  const alpha = hasAlpha ? Number(fields.alpha) : 1;
  if (hasAlpha && (fields.alpha.trim() === '' || !(alpha > 0 && alpha < Infinity)))
    wrong('alpha', `Alpha is ${fields.alpha.trim() || 'empty'}, but it must be a number above 0.`);
  if (nonlinear && !ORDERS.includes(fields.splineOrder))
    wrong('splineOrder', `The spline's order is ${fields.splineOrder}, but it must be 1, 2 or 3.`);
  const choice: BudgetChoice = {
    method,
    // Values of hidden controls are ignored.
    rank: size === 'rank' ? whole('rank', 'The rank') : 1,
    alpha,
    gridSize: nonlinear ? whole('gridSize', 'The number of grid intervals') : 1,
    splineOrder: nonlinear ? Number(fields.splineOrder) : 1,
    frequencies: size === 'frequencies' ? whole('frequencies', 'The number of frequencies') : 1,
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
export const splitNames = (names: string): string[] => [
  ...new Set(names.split(/[\s,]+/).filter((name) => name !== '')),
];
