import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { readStoredText } from '../../files/read';
import {
  comparedAdapters,
  countOf,
  MULTIPLES,
  possibleAdapters,
} from '../../adapters/budget/budget-comparison';
import { writeAtomic } from '../../files/atomic';
import type { LayerSummary } from '../../graph/summary';
import { comparisonText } from '../../runs/experiment/comparison-text';
import { loadExperiment } from '../../runs/experiment/load';
import { compareFile, comparedRates, staticAblation, trialCount } from '../../experiment/method-comparison';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import type { TrainingSpec } from '../../experiment/experiment';
import {
  aboutMethod,
  type AdapterSpec,
  type AuroraSpec,
  COMPARED,
  HEAD_ALONE,
  isNonlinear,
  isSubject,
  METHOD_NAMES,
  methodSize,
  LAYER_METHODS,
} from '../../experiment/methods';
import { freeName } from '../wizard/draft';
import { saved } from '../ask/saved';
import { always, runSteps, type Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import { COMMAND } from '../ids';
import type { Services } from '../services';
import { experimentFrom } from '../ask/pick';
import { notify } from '../messages/notify';

interface State {
  layers: readonly LayerSummary[];
  adapter: AuroraSpec;
  /** Those of each method that the layers allow. */
  adapters: ReadonlyMap<AdapterSpec['method'], readonly AdapterSpec[]>;
  training: TrainingSpec;
  methods: readonly AdapterSpec['method'][];
  ablations: boolean;
  seeds: number;
}

/**
 * Creates an experiment file whose sweep compares methods at AuroRA's budget and its multiples. The original file is
 * not changed.
 */
export async function compareMethods(services: Services, argument: unknown): Promise<string | undefined> {
  const file = await experimentFrom(services, argument, t('Select an experiment to compare methods on'));
  if (file === undefined || !(await saved(file))) return undefined;
  const { adapter, model, training } = loadExperiment(file);
  if (!isNonlinear(adapter))
    throw new AuroraError(
      'usage',
      t('A comparison starts from an AuroRA experiment, but {0} uses another method.', basename(file)),
      t('Set adapter.method to "aurora" in a copy of it.'),
    );
  const { layers } = await services.models.inspect(model.path);
  const state: State = {
    layers,
    adapter,
    adapters: possibleAdapters(
      layers,
      adapter,
      [...LAYER_METHODS.filter((method) => !isSubject({ method })), HEAD_ALONE.method],
      MULTIPLES,
    ),
    training,
    methods: COMPARED,
    ablations: false,
    seeds: 3,
  };
  if (!(await runSteps(t('Compare Methods at Equal Budget'), [methodStep, seedStep], state)))
    return undefined;
  const specs = specsOf(state);
  const text = comparisonText(await readStoredText(file), {
    adapters: specs.map((spec) => ({ spec, parameters: countOf(layers, spec) })),
    learningRates: comparedRates(training.learningRate),
    seeds: Array.from({ length: state.seeds }, (_, i) => i + 1),
    staticEpochs: staticAblation(state.ablations, training),
  });
  const name = basename(compareFile(file)).replace(/\.aurora\.json$/, '');
  const out = join(dirname(file), await freeName(dirname(file), name));
  writeAtomic(out, text);
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(out), { preview: false });
  const run = t('Run Sweep');
  const compared = adaptersOf(state);
  const trials = trialCount(compared, RATES, state.seeds);
  void notify
    .information(t('{0} compares {1} adapters in {2} trials.', basename(out), compared, trials), run)
    .then((picked) => picked === run && vscode.commands.executeCommand(COMMAND.runSweep, out));
  return out;
}

/** The number of rates that `comparedRates` returns. */
const RATES = 3;

const specsOf = ({ layers, adapter, adapters, methods, ablations }: State): AdapterSpec[] => [
  ...comparedAdapters(layers, adapter, { methods: [], multiples: MULTIPLES, ablations }),
  ...methods.flatMap((method) => adapters.get(method) ?? []),
];

/** Including the static ablation. */
const adaptersOf = (state: State): number =>
  specsOf(state).length + (staticAblation(state.ablations, state.training) === undefined ? 0 : 1);

/** "r2, r4, r8, r16": the sizes at 1, 2, 4 and 8 times AuroRA's number of parameters. */
function sizesText(specs: readonly AdapterSpec[]): string {
  const sizes = [...new Set(specs.map(methodSize))].filter((size) => size !== '');
  return sizes.length > 0 ? sizes.join(', ') : t('one size');
}

const methodStep: Step<State> = {
  ...always,
  async run(state, place) {
    const { adapters } = state;
    const methods = LAYER_METHODS.filter((method) => adapters.has(method)).map((method) => ({
      label: METHOD_NAMES[method],
      description: sizesText(adapters.get(method)!),
      detail: t(aboutMethod(method).summary!),
      methods: [method] as AdapterSpec['method'][],
      ablations: false,
    }));
    const impossible = LAYER_METHODS.filter((method) => !isSubject({ method }) && !adapters.has(method));
    const items = [
      ...methods,
      {
        label: t('Head only'),
        description: '',
        detail: t('the baseline'),
        methods: [HEAD_ALONE.method] as AdapterSpec['method'][],
        ablations: false,
      },
      {
        label: t('AuroRA ablations'),
        description: '',
        detail: t('without F, without L, with LeakyReLU, with sigmoid, trained in static form'),
        methods: [],
        ablations: true,
      },
    ];
    const chosen = (picked: readonly (typeof items)[number][]) => ({
      methods: picked.flatMap((i) => i.methods),
      ablations: picked.some((i) => i.ablations),
    });
    const picked = await pick(place, {
      items,
      placeholder:
        impossible.length === 0
          ? t('Select the methods to compare AuroRA with')
          : t(
              'Select the methods to compare AuroRA with (not possible on these layers: {0})',
              impossible.map((method) => METHOD_NAMES[method]).join(', '),
            ),
      many: {
        selected: items.filter(
          (i) => i.methods.some((m) => state.methods.includes(m)) || (i.ablations && state.ablations),
        ),
        describe: (selected) => t('{0} adapters', adaptersOf({ ...state, ...chosen(selected) })),
      },
    });
    if (typeof picked === 'string') return picked;
    Object.assign(state, chosen(picked));
    return 'next';
  },
};

const seedStep: Step<State> = {
  ...always,
  async run(state, place) {
    const adapters = adaptersOf(state);
    const items = [1, 3, 5].map((seeds) => ({
      label: seeds === 1 ? t('1 seed') : t('{0} seeds', seeds),
      description: t(
        '{0} trials; three learning rates are tried with the first seed',
        trialCount(adapters, RATES, seeds),
      ),
      detail: seeds === 1 ? t('no estimate of chance variation') : undefined,
      seeds,
    }));
    const picked = await pick(place, {
      items,
      placeholder: t('Select the number of seeds per adapter'),
      active: items.find((i) => i.seeds === state.seeds),
    });
    if (typeof picked === 'string') return picked;
    state.seeds = picked[0].seeds;
    return 'next';
  },
};
