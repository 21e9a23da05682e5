import { count } from '../../base/number-text';
import { t } from '../../base/l10n';
import { endingsOf } from '../../adapters/targets/endings';
import type { ModelSummary } from '../../graph/summary';
import type { StepCost } from '../../protocol/step-cost';
import type { KnownModel } from '../models/known-model';
import { bytes } from '../words/format';
import { kindOf, wayAround } from '../../adapters/model-words';
import type { Refusal } from '../words/refusal-text';
import { stepSettings, stepText } from '../../protocol/reports/step-words';

/** A part of a model that adapters can use, or an obstacle to training it. */
export interface ModelRow {
  id: string;
  label: string;
  description: string;
  icon: string;
  /** More than fits into a row. */
  tooltip?: string;
  /** Explains why the model cannot be used. */
  refused?: true;
}

/** The row with the cost of a training step. */
export const STEP_ROW = 'step';

/**
 * A model as rows: its size, the cost of a training step, the layers that can be adapted by name ending, operators
 * without a gradient.
 *
 * @param step for a batch of the user's choice; the usual one by default
 */
export function modelRows(model: KnownModel, step: StepCost | undefined = model.step): ModelRow[] {
  return [
    {
      id: 'size',
      label: t('{0} parameters', count(model.parameters)),
      description: [kindOf(model), ...(model.weights ?? []).map((w) => `${w.type}, ${bytes(w.bytes)}`)].join(
        ' · ',
      ),
      icon: 'info',
    },
    ...(step ? [stepRow(step)] : []),
    ...(model.cachedLayers
      ? [
          {
            id: 'cache',
            label: t('Key/value cache'),
            description: t('of {0} layers; empty in training', count(model.cachedLayers)),
            icon: 'info',
          },
        ]
      : []),
    ...operatorRows(model),
    ...endingsOf(model.layers).map(({ name, modules, shapes }) => ({
      id: `layers ${name}`,
      label: name,
      description:
        modules === 1
          ? t('1 layer · {0}', shapes.join(', '))
          : t('{0} layers · {1}', count(modules), shapes.join(', ')),
      icon: 'layers',
    })),
  ];
}

function stepRow(step: StepCost): ModelRow {
  const settings = stepSettings(step);
  const text = stepText(step);
  const how = t(
    'Estimated for this machine’s CPU from the graph that would run; preflight measures an experiment.',
  );
  return {
    id: STEP_ROW,
    label: text === undefined ? t('Training step: no estimate') : t('{0} per step', text),
    description: settings,
    icon: text === undefined ? 'question' : 'dashboard',
    tooltip: text === undefined ? step.problem : `${text}\n${settings}\n\n${how}`,
  };
}

/** Each reason why a model cannot be used; the first one states the next step. */
export const refusalRows = ({ reasons, hint }: Refusal): ModelRow[] =>
  reasons.map((reason, i) => ({
    id: `refused ${i}`,
    label: reason,
    description: i === 0 ? (hint ?? '') : '',
    icon: 'error',
    tooltip: hint === undefined ? reason : `${reason}\n\n${hint}`,
    refused: true,
  }));

/** Each operator without a gradient, with its nodes, and the next step. */
export function operatorRows(model: ModelSummary): ModelRow[] {
  const way = wayAround(model);
  return model.missingRules.map(({ operator, nodes }) => ({
    id: `operator ${operator}`,
    label: t('Gradients cannot pass through {0}', operator),
    description: nodes.length === 1 ? nodes[0] : t('{0} and {1} more', nodes[0], count(nodes.length - 1)),
    icon: 'warning',
    tooltip: `${nodes.slice(0, 20).join('\n')}\n\n${way}`,
  }));
}
