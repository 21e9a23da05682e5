import type * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { bytes } from '../../base/number-text';
import { isHeadAlone, isRanked } from '../../experiment/methods';
import { describeTask } from '../../experiment/tasks/registry';
import { isTooLarge, stepText } from '../../protocol/reports/step-words';
import type { StepCost } from '../../protocol/step-cost';
import { usualLength } from '../../recipes/draft';
import { BATCH_SIZE } from '../../recipes/draft-recipe';
import type { Outcome, Place, Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import type { StepChoice } from '../models/known-model';
import { drawsPictures, readsTexts, tablesAhead, textsAhead } from './paths';
import type { WizardState } from './wizard-state';

const BATCHES = [1, 2, 4, 8, 16, 32, 64];
const LENGTHS = [32, 64, 128, 256, 512, 1024, 2048];
/** No batch and no text is larger. */
const MOST = 1_000_000;

interface SizeItem extends vscode.QuickPickItem {
  size: number;
}

interface SizeQuestion {
  sizes: readonly number[];
  /** The current choice, and the usual ones. */
  chosen: number;
  usual: number;
  most: number;
  placeholder: string;
  /** The costs of a step of each size. */
  costs: (sizes: readonly number[]) => Promise<StepCost[]>;
  choose: (size: number) => void;
}

const lengthStep: Step<WizardState> = {
  applies: readsTexts,
  ahead: textsAhead,
  run(state, place) {
    const { positions = Infinity } = state.summary!;
    const usual = lengthOf(state);
    const limit = Number.isFinite(positions)
      ? t('Select the longest text, in tokens, or type another number up to {0}.', positions)
      : t('Select the longest text, in tokens, or type another number.');
    return askSize(place, state, {
      sizes: LENGTHS,
      usual,
      chosen: state.maxLength ?? usual,
      most: Math.min(positions, MOST),
      placeholder: limit,
      costs: (lengths) => costs(state, [state.batchSize ?? batchOf(state)], lengths),
      choose: (size) => (state.maxLength = size),
    });
  },
};

const batchStep: Step<WizardState> = {
  // A few large images: one at a time.
  applies: (state) => !drawsPictures(state),
  ahead: tablesAhead,
  run(state, place) {
    const usual = batchOf(state);
    return askSize(place, state, {
      sizes: BATCHES,
      usual,
      chosen: state.batchSize ?? usual,
      most: MOST,
      placeholder: t('Select the batch size, or type another number.'),
      costs: (batches) => costs(state, batches, [state.maxLength ?? lengthOf(state)]),
      choose: (size) => (state.batchSize = size),
    });
  },
};

/** Asks for a number, with the memory and the time of a training step beside each. */
async function askSize(
  place: Place,
  { recipe }: WizardState,
  { sizes, chosen, usual, most, placeholder, costs, choose }: SizeQuestion,
): Promise<Outcome> {
  const known = new Map<number, StepCost>();
  let asking = Promise.resolve();
  const ask = async (wanted: readonly number[]) => {
    const missing = wanted.filter((n) => !known.has(n));
    const found = missing.length > 0 ? await costs(missing) : [];
    found.forEach((cost, i) => known.set(missing[i], cost));
  };
  const offered = [...new Set([...sizes, usual, chosen])].filter((n) => n <= most).sort((a, b) => a - b);
  const item = (size: number): SizeItem => {
    const about = size === usual ? (recipe ? t('the recipe’s') : t('the default')) : undefined;
    return { label: String(size), size, ...sizeText(known.get(size), about) };
  };
  const items = offered.map(item);
  const picked = await pick(place, {
    items,
    placeholder,
    active: items.find((i) => i.size === chosen),
    typed: (value) => {
      const size = Number(value);
      const other = Number.isInteger(size) && size >= 1 && size <= most && !offered.includes(size);
      return other ? item(size) : undefined;
    },
    fill: async (shown) => {
      // One program at a time: the next one is asked only for the sizes that are still missing.
      asking = asking.then(() => ask(shown.map((i) => i.size)));
      await asking;
      return shown.map((i) => item(i.size));
    },
  });
  if (typeof picked === 'string') return picked;
  choose(picked[0].size);
  return 'next';
}

const lengthOf = ({ recipe, summary }: WizardState): number =>
  usualLength(recipe, summary!.positions) as number;
const batchOf = ({ recipe }: WizardState): number => recipe?.settings.batchSize ?? BATCH_SIZE;

/** For each batch and length. Empty if the program cannot be started: the wizard continues without estimates. */
async function costs(
  state: WizardState,
  batches: readonly number[],
  lengths: readonly number[],
): Promise<StepCost[]> {
  const { services, model } = state;
  try {
    return await services.models.estimates(model!, choiceOf(state), { batches, lengths });
  } catch (e) {
    services.log.warn(String(e));
    return [];
  }
}

function choiceOf({ adapter, task, output }: WizardState): Omit<StepChoice, 'batch' | 'length'> {
  return {
    method: adapter!.method,
    head: describeTask(task!).head,
    output,
    ...(isRanked(adapter!) && { rank: adapter.rank }),
    ...(!isHeadAlone(adapter!) && { targets: [adapter!.targetModules].flat().join(',') }),
  };
}

export const sizeSteps = [lengthStep, batchStep];

/**
 * The cost of a step of a size, beside that size in a list.
 *
 * @param cost undefined while it is being estimated
 * @param about another remark on the size
 */
function sizeText(
  cost: StepCost | undefined,
  about: string | undefined,
): { description?: string; detail?: string } {
  const text = cost && stepText(cost);
  const large = cost !== undefined && isTooLarge(cost);
  const details = [
    about,
    large && t('more than the {0} of memory that are available now', bytes(cost.memory!.available!)),
    cost && text === undefined && cost.problem,
  ].filter((part) => part !== undefined && part !== false);
  return {
    description: text && `${large ? '$(warning) ' : ''}${t('{0} per step', text)}`,
    ...(details.length > 0 && { detail: details.join(' · ') }),
  };
}
