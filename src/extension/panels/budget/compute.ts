import { budgetOf, type BudgetModule } from '../../../adapters/budget';
import { AURORA_DEFAULTS } from '../../../adapters/defaults';
import type { Budget } from '../../../shared/budget';
import { AuroraError } from '../../../shared/errors';
import type { AuroraSpec, LoraSpec } from '../../../shared/experiment';
import type { BudgetFields, FieldName, FieldProblem } from '../../../shared/panels/budget';
import type { OtherSettings } from './experiment';
import { parseFields, type BudgetChoice } from './fields';

export interface KnownModel {
  modules: readonly BudgetModule[];
  parameters?: number;
}

/** The budget of what was typed; or what is wrong with it, at its field. */
export function computeBudget(
  fields: BudgetFields,
  model: KnownModel,
  others: OtherSettings,
): { budget?: Budget; problems: FieldProblem[] } {
  const { choice, problems } = parseFields(fields);
  if (!choice) return { problems };
  try {
    const budget = budgetOf(model.modules, specOf(choice, others), {
      modelParameters: model.parameters,
      loraRank: choice.loraRank,
      tokens: choice.tokens,
    });
    return { budget, problems: [] };
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    const field = fieldOf(e, fields);
    return { problems: [{ field, message: e.message, hint: hintFor(field, model) ?? e.hint }] };
  }
}

/** The core's hints are for a terminal; here the names stand above the field. */
function hintFor(field: FieldName, { modules }: KnownModel): string | undefined {
  if (field === 'names') return 'The list has the names that the model offers.';
  if (field === 'regex') return `It must match a whole path, such as ${modules[0].path}.`;
  return undefined;
}

function specOf(choice: BudgetChoice, others: OtherSettings): AuroraSpec | LoraSpec {
  const { method, rank, alpha, targetModules, gridSize, splineOrder } = choice;
  const shared = {
    ...others,
    rank,
    alpha,
    targetModules,
    dropout: 0,
    initialization: 'kaiming-uniform',
  } as const;
  if (method === 'lora') return { ...shared, method, useRslora: false };
  return { ...AURORA_DEFAULTS, ...shared, gridSize, splineOrder };
}

/** Where in the form an error of the core belongs. */
function fieldOf(error: AuroraError, { targets }: BudgetFields): FieldName {
  if (error.kind === 'rank') return error.message.startsWith('LoRA') ? 'loraRank' : 'rank';
  if (error.kind !== 'targets') throw error;
  return targets === 'all-linear' ? 'targets' : targets;
}
