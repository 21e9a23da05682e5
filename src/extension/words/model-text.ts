import { count } from '../../base/number-text';
import { t } from '../../base/l10n';
import type { ModelSummary } from '../../graph/summary';
import type { KnownModel } from '../models/models';

/** "roberta", "opset 17, from pytorch". */
export const kindOf = ({ family, opset, producer }: KnownModel): string =>
  family ?? (producer ? t('opset {0}, from {1}', opset, producer) : t('opset {0}', opset));

/** "roberta · 124,055,040 parameters · 72 layers to adapt". */
export function modelText(model: KnownModel): string {
  const layers = model.layers.length;
  return [
    kindOf(model),
    t('{0} parameters', count(model.parameters)),
    layers === 1 ? t('1 layer to adapt') : t('{0} layers to adapt', count(layers)),
  ].join(' · ');
}

/** The advice on operators without a gradient. */
export const wayAround = ({ blocked, layers }: Pick<ModelSummary, 'blocked' | 'layers'>): string =>
  blocked.length === layers.length
    ? t(
        'All {0} layers are below it. Export the model again without graph optimization, or train only a head.',
        count(layers.length),
      )
    : t(
        '{0} of {1} layers are below it. Adapt other layers, or export the model again without graph optimization.',
        count(blocked.length),
        count(layers.length),
      );
