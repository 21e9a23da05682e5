import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { comparedAdapters, countOf, MULTIPLES } from '../../adapters/budget/budget-comparison';
import { writeAtomic } from '../../files/atomic';
import { loadModelFrom } from '../../architectures/load';
import { modelSource } from '../../architectures/model-source';
import { summarize } from '../../graph/summary';
import { comparisonText, type Comparison } from '../../runs/experiment/comparison-text';
import { loadExperiment } from '../../runs/experiment/load';
import { comparedRates, compareFile, staticAblation, trialCount } from '../../experiment/method-comparison';
import { AuroraError, EXIT } from '../../base/errors';
import { nearest } from '../../base/nearest';
import {
  type AdapterSpec,
  COMPARED,
  HEAD_ALONE,
  isHeadAlone,
  isNonlinear,
  LAYER_METHODS,
  methodName,
  methodSize,
} from '../../experiment/methods';
import { one, wholeNumber, type Command, type ParsedArgs } from '../command';
import { count, rateNumber, shortNumber } from '../../base/number-text';
import { commandLine } from '../suggested-commands';
import { hints } from '../output';
import { optionText } from '../help-text';
import { table } from '../table';

const KNOWN: readonly string[] = [...LAYER_METHODS, HEAD_ALONE.method];

export const compareCommand: Command = {
  help: `Usage: aurora compare FILE.aurora.json [options]

Creates an experiment with a sweep that compares methods on the model and data of FILE, an AuroRA experiment. Each other
method is trained at AuroRA's parameter count and at multiples of it, all with the same learning rates and seeds. FILE
is not changed. \`aurora sweep\` trains the new experiment, and \`aurora study\` compares its runs.

  --methods NAMES    ${optionText(`of ${KNOWN.join(', ')} (default: ${COMPARED.join(',')})`)}
  --multiples LIST   parameter budgets, as multiples of AuroRA's (default: ${MULTIPLES.join(',')})
  --ablations        also AuroRA without F, without L, with the other activations, and trained in the static form
  --seeds N          runs per adapter, with seeds 1 to N (default: 3)
  --rates LIST       learning rates (default: the experiment's, a third of it, and three times it). The first seed tries
                     them all for each adapter; the other seeds use the best
  --out FILE         the new experiment, in the same folder (default: NAME-compare.aurora.json)
  --json             one JSON object: file, adapters, learningRates, seeds, trials
`,
  options: {
    methods: { type: 'string' },
    multiples: { type: 'string' },
    ablations: { type: 'boolean' },
    seeds: { type: 'string' },
    rates: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean' },
  },
  values: { methods: KNOWN },
  run(args) {
    const file = resolve(one(args, 'experiment file', 'compare'));
    const { adapter, model, training } = loadExperiment(file);
    if (!isNonlinear(adapter))
      throw new AuroraError(
        'usage',
        `${file} trains ${isHeadAlone(adapter) ? 'no adapter' : methodName(adapter)}; a comparison starts from an AuroRA experiment.`,
        'Set adapter.method to "aurora" in a copy of the file.',
      );
    const out = resolve(args.text('out') ?? compareFile(file));
    if (existsSync(out))
      throw new AuroraError(
        'usage',
        `${out} already exists and was not overwritten.`,
        'Name another file with --out.',
      );
    const { layers } = summarize(loadModelFrom(modelSource(model.path), 'structure'));
    const specs = comparedAdapters(layers, adapter, {
      methods: methodsOf(args),
      multiples: numbers(args, 'multiples') ?? MULTIPLES,
      ablations: args.flag('ablations'),
    });
    const adapters = specs.map((spec) => ({ spec, parameters: countOf(layers, spec) }));
    const learningRates = numbers(args, 'rates') ?? comparedRates(training.learningRate);
    const seeds = Array.from({ length: wholeNumber('seeds', args.text('seeds') ?? '3') }, (_, i) => i + 1);
    const staticEpochs = staticAblation(args.flag('ablations'), training);
    const comparison = { adapters, learningRates, seeds, staticEpochs };
    writeAtomic(out, comparisonText(readFileSync(file, 'utf8'), comparison));
    process.stdout.write(
      args.flag('json') ? `${JSON.stringify(jsonOf(out, comparison))}\n` : report(out, comparison),
    );
    return Promise.resolve(EXIT.ok);
  },
};

function methodsOf(args: ParsedArgs): AdapterSpec['method'][] {
  const names = (args.text('methods') ?? COMPARED.join(',')).split(/[\s,]+/).filter((n) => n !== '');
  const wrong = names.find((name) => !KNOWN.includes(name));
  if (wrong !== undefined)
    throw new AuroraError(
      'usage',
      `Unknown method "${wrong}".`,
      `${suggestion(wrong)}The methods are ${KNOWN.join(', ')}.`,
    );
  return names as AdapterSpec['method'][];
}

function suggestion(name: string): string {
  const near = nearest(name, KNOWN);
  return near === undefined ? '' : `Did you mean "${near}"? `;
}

function numbers(args: ParsedArgs, option: string): number[] | undefined {
  const given = args.text(option);
  if (given === undefined) return undefined;
  const values = given
    .split(/[\s,]+/)
    .filter((v) => v !== '')
    .map(Number);
  if (values.length === 0 || values.some((v) => !(v > 0 && v < Infinity)))
    throw new AuroraError(
      'usage',
      `--${option} takes numbers above 0, not "${given}".`,
      'For example: 1,2,4',
    );
  return values;
}

const jsonOf = (file: string, { adapters, learningRates, seeds, staticEpochs }: Comparison) => ({
  file,
  adapters: adapters.map(({ spec, parameters }) => ({ name: nameOf(spec), parameters, ...spec })),
  learningRates,
  seeds,
  trials: trialCount(
    adapters.length + Number(staticEpochs !== undefined),
    learningRates.length,
    seeds.length,
  ),
});

function report(out: string, { adapters, learningRates, seeds, staticEpochs }: Comparison): string {
  const own = adapters[0].parameters;
  const rows = adapters.map(({ spec, parameters }) => [
    `  ${nameOf(spec)}`,
    count(parameters),
    `${shortNumber(parameters / own)} × AuroRA`,
  ]);
  const more =
    staticEpochs === undefined
      ? []
      : [[`  ${nameOf(adapters[0].spec)}, trained in the static form`, count(own), '1 × AuroRA']];
  return `${[
    'Adapters, by trainable parameters:',
    ...table([...rows, ...more], '   '),
    '',
    `Each with ${searchText(learningRates, seeds.length)}: ${count(trialCount(rows.length + more.length, learningRates.length, seeds.length))} trials.`,
    '',
    `Wrote ${out}`,
    ...hints(`Train them with: ${commandLine('sweep', out)}`),
  ].join('\n')}\n`;
}

const searchText = (rates: readonly number[], seeds: number): string =>
  [
    `${rates.length === 1 ? 'the learning rate' : 'the learning rates'} ${rates.map(rateNumber).join(', ')}`,
    seeds === 1 ? '1 seed' : `${seeds} seeds`,
  ].join(' and ') + (rates.length > 1 && seeds > 1 ? ', the first of which selects the rate' : '');

const nameOf = (spec: AdapterSpec): string => {
  if (isHeadAlone(spec)) return 'head alone';
  const parts = isNonlinear(spec)
    ? [
        spec.fixed ? '' : 'without F',
        spec.learnable ? '' : 'without L',
        spec.spline === 'shared' || !spec.learnable ? '' : `spline ${spec.spline}`,
        spec.activation === 'tanh' ? '' : spec.activation,
      ]
    : [];
  return [`${methodName(spec)} ${methodSize(spec)}`.trim(), ...parts.filter((p) => p !== '')].join(', ');
};
