import { t } from '../../base/l10n';
import { bytes, stepTime } from '../../base/number-text';
import { METHOD_NAMES, type MethodName } from '../../experiment/methods';
import type { StepCost } from '../step-cost';

/** "1.4 GB, about 1.51 s"; undefined without an estimate. */
export function stepText({ memory, time }: StepCost): string | undefined {
  if (!memory) return undefined;
  if (!time) return bytes(memory.total);
  return t('{0}, about {1}', bytes(memory.total), stepTime(time.seconds));
}

/** "batch 8 × 128 tokens" */
export const batchText = ({ batch, length }: StepCost): string =>
  length === undefined ? t('batch {0}', batch) : t('batch {0} × {1} tokens', batch, length);

/** "AuroRA r=2, weights of 8 bits, int8" */
export function methodText({ method, rank, quantize, precision }: StepCost): string {
  const name = METHOD_NAMES[method as MethodName] ?? t('head only');
  return [
    rank === undefined ? name : `${name} r=${rank}`,
    ...(quantize === undefined ? [] : [t('weights of {0} bits', quantize)]),
    ...(precision === undefined ? [] : [precision]),
  ].join(', ');
}

/** "batch 8 × 128 tokens, AuroRA r=2". */
export const stepSettings = (step: StepCost): string => `${batchText(step)}, ${methodText(step)}`;

/** True if the step needs more memory than is available now. */
export const isTooLarge = ({ memory }: StepCost): boolean =>
  memory?.available !== undefined && memory.total > memory.available;

/** Its memory beside what is available now; undefined where either is unknown. */
export function fitsText(step: StepCost): string | undefined {
  const available = step.memory?.available;
  if (available === undefined) return undefined;
  return isTooLarge(step)
    ? t('More than the {0} of memory that are available now.', bytes(available))
    : t('Fits the {0} of memory that are available now.', bytes(available));
}

/** The memory that layers would need that do not tolerate int8; undefined where none is rounded. */
export function originalText({ memory }: StepCost): string | undefined {
  if (memory?.original === undefined) return undefined;
  return t(
    'Layers that do not tolerate int8 read their original weights, too: up to {0} more.',
    bytes(memory.original),
  );
}
