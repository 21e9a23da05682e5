import { budgetSentence, rankLimit, uselessLayers } from '../../adapters/budget/budget';
import { endingsOf } from '../../adapters/targets/endings';
import { chooseLayers, likelyTargets } from '../../adapters/targets/select';
import { matchTargets } from '../../adapters/targets/targets';
import { type TaskLayer, taskLayers } from '../../adapters/task-output';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import {
  aboutMethod,
  type AdapterSpec,
  COMPARED,
  HEAD_ALONE,
  isHeadAlone,
  isMethod,
  isRankedByLayer,
  isSubject,
  METHOD_NAMES,
  LAYER_METHODS,
  type RankedSpec,
  type TrainedSpec,
} from '../../experiment/methods';
import { fittingAdapter } from '../../adapters/budget/budget-comparison';
import { describeTask } from '../../experiment/tasks/registry';
import { defaultAdapter } from '../../recipes/draft';
import { recipeAdapter } from '../../recipes/draft-recipe';
import { always, type Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import { RANKS } from './draft';
import type { WizardState } from './wizard-state';

const methodStep: Step<WizardState> = {
  ...always,
  async run(state, place) {
    const { layers } = state.summary!;
    const { head, defaults } = describeTask(state.task!);
    const usualTargets = defaults?.({})['adapter.targetModules'] as string[] | undefined;
    const likely = usualTargets ?? likelyTargets(layers);
    const targets = likely.length > 0 ? likely : 'all-linear';
    // First the default choices of a comparison, then the others.
    const methods = [...new Set([...COMPARED, ...LAYER_METHODS])].filter(
      (method) => head || method !== HEAD_ALONE.method,
    );
    const items = methods.map((method) => {
      const usual = { ...defaultAdapter(method), ...(isMethod(method) && { targetModules: targets }) };
      const own = state.recipe ? recipeAdapter(usual, state.recipe, layers) : usual;
      const spec = isHeadAlone(own) ? own : fittingAdapter(layersOf(state), own);
      const label = isMethod(method) ? METHOD_NAMES[method] : t('Head only');
      const detail = t(aboutMethod(method).summary ?? 'nothing inside the model is trained: the baseline');
      return { label, detail, description: cost(state, spec), spec };
    });
    const picked = await pick(place, {
      items,
      placeholder: t('Select a method'),
      active: items.find((i) => i.spec.method === state.adapter?.method),
    });
    if (typeof picked === 'string') return picked;
    if (state.adapter?.method !== picked[0].spec.method) state.adapter = picked[0].spec;
    return 'next';
  },
};

const targetStep: Step<WizardState> = {
  applies: (state) => !isHeadAlone(state.adapter!),
  ahead: ({ adapter }) => (adapter ? !isHeadAlone(adapter) : 'likely'),
  async run(state, place) {
    const { layers, blocked, missingRules } = state.summary!;
    const adapter = state.adapter as TrainedSpec;
    const paths = layers.map((l) => l.path);
    const items = endingsOf(layers).map(({ name, modules, shapes }) => {
      const { matched } = matchTargets(paths, { targetModules: [name] });
      const below = matched.filter((path) => blocked.includes(path)).length;
      const shown = matched.slice(0, 2).join(', ') + (modules > 2 ? ' …' : '');
      const operators = missingRules.map((rule) => rule.operator).join(', ');
      return {
        label: name,
        description:
          modules === 1
            ? t('1 module, {0}', shapes.join(', '))
            : t('{0} modules, {1}', modules, shapes.join(', ')),
        detail: below === 0 ? shown : `$(warning) ${t('{0} below {1}', below, operators)} · ${shown}`,
      };
    });
    const chosen = Array.isArray(adapter.targetModules) ? adapter.targetModules : [];
    const picked = await pick(place, {
      items,
      placeholder: t('Select the layers to adapt. The paper: query and value.'),
      many: {
        selected: items.filter((i) => chosen.includes(i.label)),
        describe: (selected) => {
          const targetModules = selected.map((i) => i.label);
          const { matched } = matchTargets(paths, { targetModules });
          const counted = t('{0} of {1} layers match', matched.length, paths.length);
          return matched.length === 0 ? counted : `${counted}, ${cost(state, { ...adapter, targetModules })}`;
        },
      },
    });
    if (typeof picked === 'string') return picked;
    state.adapter = { ...adapter, targetModules: picked.map((i) => i.label) };
    return 'next';
  },
};

const rankStep: Step<WizardState> = {
  // A rank shared by all layers is far above the limit of one layer, and rarely the first thing to change.
  applies: ({ adapter }) => isRankedByLayer(adapter!),
  ahead: ({ adapter }) => (adapter ? isRankedByLayer(adapter) : 'likely'),
  async run(state, place) {
    const adapter = state.adapter as RankedSpec;
    const layers = layersOf(state);
    const { matched } = chooseLayers(
      layers.map((l) => l.path),
      adapter,
      uselessLayers(layers),
    );
    const limit = rankLimit(layers.filter((l) => matched.includes(l.path)));
    const item = (rank: number) => ({
      label: String(rank),
      description: cost(state, withRank(adapter, rank)),
      rank,
    });
    const usual = isSubject(adapter) ? 2 : 8;
    const items = RANKS.filter((r) => r <= limit).map((r) => ({
      ...item(r),
      detail: r === usual ? (r === 2 ? t('the paper’s choice') : t('the paper’s LoRA on GLUE')) : undefined,
    }));
    const picked = await pick(place, {
      items,
      placeholder: t('Select a rank, or type another one up to {0}.', limit),
      active: items.find((i) => i.rank === adapter.rank),
      typed: (value) => {
        const rank = Number(value);
        const other = Number.isInteger(rank) && rank >= 1 && rank <= limit && !RANKS.includes(rank);
        return other ? { ...item(rank), detail: undefined } : undefined;
      },
    });
    if (typeof picked === 'string') return picked;
    state.adapter = withRank(adapter, picked[0].rank);
    return 'next';
  },
};

/** The adapter with the scale alpha / rank of the method's defaults. */
function withRank(adapter: RankedSpec, rank: number): RankedSpec {
  const usual = defaultAdapter(adapter.method) as RankedSpec;
  if (!('alpha' in adapter) || !('alpha' in usual)) return { ...adapter, rank };
  return { ...adapter, rank, alpha: (rank * usual.alpha) / usual.rank };
}

/** The layers for the draft's output and kind of task. */
const layersOf = ({ summary, output, task }: WizardState): TaskLayer[] =>
  taskLayers(summary!, { output, head: describeTask(task!).head });

/** The parameter count as text, or why it cannot be counted. */
function cost(state: WizardState, spec: AdapterSpec): string {
  try {
    return budgetSentence(layersOf(state), spec);
  } catch (e) {
    if (e instanceof AuroraError) return e.message;
    throw e;
  }
}

export const adapterSteps = [methodStep, targetStep, rankStep];
