import { endingsOf } from '../../adapters/targets/endings';
import type { ModelSummary } from '../../graph/summary';
import type { Translate } from '../translate';

/** One thing that a model offers to adapters, or what prevents training it. */
export interface ModelRow {
  id: string;
  label: string;
  description: string;
  icon: string;
}

/** A model as rows: its size, the layers that can be adapted by name ending, operators without a gradient. */
export function modelRows(model: ModelSummary, t: Translate, language: string): ModelRow[] {
  const count = (n: number) => n.toLocaleString(language);
  return [
    {
      id: 'size',
      label: t('{0} parameters', count(model.parameters)),
      description: model.producer
        ? t('opset {0}, from {1}', model.opset, model.producer)
        : t('opset {0}', model.opset),
      icon: 'info',
    },
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
    ...model.missingRules.map(({ operator, nodes }) => ({
      id: `operator ${operator}`,
      label: t('Gradients cannot pass through {0}', operator),
      description: nodes[0],
      icon: 'warning',
    })),
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
