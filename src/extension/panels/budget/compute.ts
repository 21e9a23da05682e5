import { budgetOf, type BudgetModule } from '../../../adapters/budget/budget';
import { matchAhead } from '../../../adapters/patterns/patterns';
import { patternsOf } from '../../../adapters/targets/targets';
import { adapterDefaults } from '../../../experiment/adapter-defaults';
import type { Budget } from '../../../protocol/budget';
import { AuroraError } from '../../../base/errors';
import type { TrainedSpec } from '../../../experiment/methods';
import schema from '../../../experiment/experiment.schema.json';
import type { BudgetFields, FieldName, FieldProblem } from '../../../protocol/panels/budget';
import type { OtherSettings } from './experiment';
import { parseFields, type BudgetChoice } from './fields';

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
    return { budget, problems: [] };
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
  const { method, rank, alpha, targetModules, gridSize, splineOrder, frequencies } = choice;
  const defaults = adapterDefaults(method);
  const own = { ...others, rank, alpha, gridSize, splineOrder, frequencies, targetModules };
  const { properties } = schema.definitions[method];
  const known = Object.entries(own).filter(([key]) => Object.hasOwn(properties, key));
  return { ...defaults, ...Object.fromEntries(known) } as unknown as TrainedSpec;
}

/** The form field for an error from the core. */
function fieldOf(error: AuroraError, { targets }: BudgetFields): FieldName {
  if (error.kind === 'rank')
    return error.message.startsWith('LoRA')
      ? 'loraRank'
      : error.message.startsWith('adapter.frequencies')
        ? 'frequencies'
        : 'rank';
  if (error.kind !== 'targets') throw error;
  return targets === 'all-linear' ? 'targets' : targets;
}
