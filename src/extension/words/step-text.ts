import { stepTime } from '../../base/time-text';
import { t } from '../../base/l10n';
import { METHOD_NAMES, type MethodName } from '../../experiment/methods';
import type { StepCost } from '../../protocol/step-cost';
import { bytes } from './format';

/** "1.4 GB, about 1.51 s"; undefined without an estimate. */
export function stepText({ memory, time }: StepCost): string | undefined {
  if (!memory) return undefined;
  if (!time) return bytes(memory.total);
  return t('{0}, about {1}', bytes(memory.total), stepTime(time.seconds));
}

/** "batch 8 × 128 tokens, AuroRA r=2". */
export function stepSettings({ method, rank, batch, length }: StepCost): string {
  const size = length === undefined ? t('batch {0}', batch) : t('batch {0} × {1} tokens', batch, length);
  const name = METHOD_NAMES[method as MethodName] ?? t('head only');
  return `${size}, ${rank === undefined ? name : `${name} r=${rank}`}`;
}

/**
 * The cost of a step of a size, beside that size in a list.
 *
 * @param cost undefined while it is being estimated
 * @param about another remark on the size
 */
export function sizeText(
  cost: StepCost | undefined,
  about: string | undefined,
): { description?: string; detail?: string } {
  const text = cost && stepText(cost);
  const available = cost?.memory?.available;
  const large = available !== undefined && cost!.memory!.total > available;
  const details = [
    about,
    large && t('more than the {0} of memory that are available now', bytes(available)),
    cost && text === undefined && cost.problem,
  ].filter((part) => part !== undefined && part !== false);
  return {
    description: text && `${large ? '$(warning) ' : ''}${t('{0} per step', text)}`,
    ...(details.length > 0 && { detail: details.join(' · ') }),
  };
}
