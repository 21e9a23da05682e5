import { t } from '../base/l10n';
import { count } from '../base/number-text';
import type { ModelSummary } from '../graph/summary';

/** "roberta", "opset 17, from pytorch". */
export const kindOf = ({ family, opset, producer }: ModelSummary & { family?: string }): string =>
  family ?? (producer ? t('opset {0}, from {1}', opset, producer) : t('opset {0}', opset));

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
