import * as vscode from 'vscode';
import { budgetSentence, rankLimit } from '../../adapters/budget';
import { endingsOf } from '../../adapters/budget-endings';
import { likelyTargets } from '../../adapters/likely-targets';
import { matchTargets } from '../../adapters/targets';
import { AuroraError } from '../../shared/errors';
import type { AdapterSpec, AuroraSpec, LoraSpec } from '../../shared/experiment';
import { defaultAdapter, RANKS } from './draft';
import { recipeAdapter } from './draft-recipe';
import { pick, type Step } from './steps';
import type { WizardState } from './wizard-state';

type Trainable = AuroraSpec | LoraSpec;

const methodStep: Step<WizardState> = {
  applies: () => true,
  async run(state, place) {
    const { t } = vscode.l10n;
    const { layers } = state.summary!;
    const likely = likelyTargets(layers);
    const targets = likely.length > 0 ? likely : 'all-linear';
    const words = {
      aurora: [
        'AuroRA',
        t('a nonlinear layer between LoRA’s two matrices: fewer parameters at a smaller rank'),
      ],
      lora: ['LoRA', t('two low-rank matrices: the usual way, to compare with')],
      none: [t('Head only'), t('nothing inside the model is trained: the baseline')],
    };
    const items = (['aurora', 'lora', 'none'] as const).map((method) => {
      const usual = { ...defaultAdapter(method), ...(method !== 'none' && { targetModules: targets }) };
      const spec = state.recipe
        ? recipeAdapter(usual as AdapterSpec, state.recipe, layers)
        : (usual as AdapterSpec);
      const [label, detail] = words[method];
      return { label, detail, description: cost(state, spec), spec };
    });
    const picked = await pick(place, {
      items,
      placeholder: t('Which method?'),
      active: items.find((i) => i.spec.method === state.adapter?.method),
    });
    if (typeof picked === 'string') return picked;
    if (state.adapter?.method !== picked[0].spec.method) state.adapter = picked[0].spec;
    return 'next';
  },
};

const targetStep: Step<WizardState> = {
  applies: (state) => state.adapter!.method !== 'none',
  async run(state, place) {
    const { t } = vscode.l10n;
    const { layers } = state.summary!;
    const adapter = state.adapter as Trainable;
    const paths = layers.map((l) => l.path);
    const items = endingsOf(layers).map(({ name, modules, shapes }) => ({
      label: name,
      description:
        modules === 1
          ? t('1 module, {0}', shapes.join(', '))
          : t('{0} modules, {1}', modules, shapes.join(', ')),
      detail:
        matchTargets(paths, { targetModules: [name] })
          .matched.slice(0, 2)
          .join(', ') + (modules > 2 ? ' …' : ''),
    }));
    const chosen = Array.isArray(adapter.targetModules) ? adapter.targetModules : [];
    const picked = await pick(place, {
      items,
      placeholder: t('Which layers get an adapter? The paper: query and value.'),
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
  applies: (state) => state.adapter!.method !== 'none',
  async run(state, place) {
    const { t } = vscode.l10n;
    const adapter = state.adapter as Trainable;
    const { layers } = state.summary!;
    const { matched } = matchTargets(
      layers.map((l) => l.path),
      adapter,
    );
    const limit = rankLimit(layers.filter((l) => matched.includes(l.path)));
    const item = (rank: number) => ({
      label: String(rank),
      description: cost(state, withRank(adapter, rank)),
      rank,
    });
    const usual = adapter.method === 'aurora' ? 2 : 8;
    const items = RANKS.filter((r) => r <= limit).map((r) => ({
      ...item(r),
      detail: r === usual ? (r === 2 ? t('the paper’s choice') : t('the paper’s LoRA on GLUE')) : undefined,
    }));
    const picked = await pick(place, {
      items,
      placeholder: t('Which rank? Type any other up to {0}.', limit),
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

/** With the scale alpha / rank as the method's defaults have it. */
function withRank(adapter: Trainable, rank: number): Trainable {
  const usual = defaultAdapter(adapter.method) as Trainable;
  return { ...adapter, rank, alpha: (rank * usual.alpha) / usual.rank };
}

/** Parameters in words; why they cannot be counted where they cannot. */
function cost({ summary }: WizardState, spec: AdapterSpec): string {
  try {
    return budgetSentence(summary!.layers, spec);
  } catch (e) {
    if (e instanceof AuroraError) return e.message;
    throw e;
  }
}

export const adapterSteps = [methodStep, targetStep, rankStep];
