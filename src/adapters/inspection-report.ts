import { t } from '../base/l10n';
import { bytes, count, shortNumber, stepTime } from '../base/number-text';
import { someNames } from '../base/text';
import type { ModelSummary, StoredWeight } from '../graph/summary';
import type { Part, Report } from '../protocol/reports/report';
import { batchText, fitsText, methodText, originalText, stepSettings } from '../protocol/reports/step-words';
import type { MachineRates, StepCost } from '../protocol/step-cost';
import type { Inspection } from './inspection';
import { kindOf, wayAround } from './model-words';

/** Nodes and layers that are named before the rest is counted. */
const NAMED = 5;

/** The layers of a model that can be adapted, what stands in the way of others, and the cost of a training step. */
export const inspectionReport = (title: string, model: Inspection): Report => ({
  title,
  parts: [
    factsTable(model),
    ...layerParts(model),
    ...gradientParts(model),
    ...(model.steps ? severalSteps(model.steps) : oneStep(model.step)),
  ],
});

function factsTable(model: Inspection): Part {
  const value = ({ name, type, shape }: ModelSummary['inputs'][number]) =>
    `${name} ${type} [${shape?.map((d) => d ?? '?').join(', ') ?? '?'}]`;
  const {
    parameters,
    activeParameters,
    positions,
    weights,
    parts = [],
    inputs,
    outputs,
    cachedLayers,
  } = model;
  return {
    columns: ['', ''],
    rows: [
      [
        t('parameters'),
        activeParameters === undefined
          ? count(parameters)
          : t('{0}, of which each token has {1}', count(parameters), count(activeParameters)),
      ],
      [t('kind'), kindOf(model)],
      ...(positions === undefined ? [] : [[t('longest text'), t('{0} tokens', count(positions))]]),
      [t('weights'), weightsText(weights)],
      ...parts.map((part) => [
        part.name,
        t('{0}, {1} parameters ({2})', part.family, count(part.parameters), weightsText(part.weights)),
      ]),
      [t('inputs'), inputs.map(value).join(' · ')],
      [t('outputs'), outputs.map(value).join(' · ')],
      ...(cachedLayers
        ? [
            [
              t('cache'),
              t('keys and values of {0} layers; empty in training, used to write texts', count(cachedLayers)),
            ],
          ]
        : []),
    ],
  };
}

const weightsText = (weights: readonly StoredWeight[]): string =>
  weights.map((w) => `${w.type}, ${bytes(w.bytes)}`).join(' · ');

function layerParts({ layers, outputs }: Inspection): Part[] {
  return [
    { heading: t('{0} linear layers', count(layers.length)) },
    {
      columns: [{ code: t('module') }, { number: t('out × in') }, ''],
      rows: withoutRepeats(layers).map((l) => [
        l.path,
        `${l.outFeatures} × ${l.inFeatures}`,
        layerNotes(l, outputs.length),
      ]),
    },
  ];
}

type Row = ModelSummary['layers'][number] & { experts?: number };

/** The layers with one row for those of all experts that have the same name: a model may have 20,000. */
function withoutRepeats(layers: ModelSummary['layers']): Row[] {
  const rows = new Map<string, Row>();
  for (const layer of layers) {
    const path = layer.routed ? layer.path.replace(/\.experts\.\d+\./, '.experts.*.') : layer.path;
    const row = rows.get(path);
    if (path === layer.path) rows.set(path, layer);
    else if (row?.experts === undefined) rows.set(path, { ...layer, path, experts: 1 });
    else row.experts++;
  }
  return [...rows.values()];
}

function layerNotes(l: Row, outputs: number): string {
  return [
    l.experts !== undefined && t('{0} experts', count(l.experts)),
    l.routed === true && t('left out by "all-linear"'),
    // A task that reads another output cannot train the layer.
    l.reaches.length === 0 && t('reaches no output'),
    l.reaches.length > 0 && l.reaches.length < outputs && t('reaches only {0}', l.reaches.join(', ')),
    l.output && t('the model’s own output: left out by "all-linear"'),
    l.calls > 1 && t('called {0} times', l.calls),
    l.sharedWith.length > 0 && t('weight shared with {0}', l.sharedWith.join(', ')),
    !l.mergeable && t('weight is computed: cannot be merged'),
  ]
    .filter((note) => note !== false)
    .join('; ');
}

function gradientParts(model: Inspection): Part[] {
  const { missingRules, blocked } = model;
  const heading = { heading: t('Gradients') };
  if (missingRules.length === 0)
    return [heading, t('Every operator between these layers and the outputs has a gradient rule.')];
  return [
    heading,
    t('Gradients cannot pass these operators; adapters below them cannot be trained:'),
    { list: missingRules.map(({ operator, nodes }) => t('{0}: {1}', operator, someNames(nodes, NAMED))) },
    wayAround(model),
    t('The layers below: {0}.', someNames(blocked, NAMED)),
  ];
}

function oneStep(step: StepCost): Part[] {
  const { memory, time, problem } = step;
  const fits = fitsText(step);
  const original = originalText(step);
  return [
    { heading: t('Training step on this CPU, estimated') },
    {
      columns: ['', ''],
      rows: [
        [t('settings'), stepSettings(step)],
        ...(memory
          ? [
              [t('memory'), bytes(memory.total)],
              [
                '',
                t(
                  'weights {0}, activations {1}, evaluation {2}, adapter {3}, program {4}',
                  bytes(memory.weights),
                  bytes(memory.activations),
                  bytes(memory.evaluation),
                  bytes(memory.trained),
                  bytes(memory.program),
                ),
              ],
            ]
          : []),
        ...(time
          ? [
              [
                t('time'),
                t(
                  'about {0}: {1} GFLOP, at {2} and {3}/s (measured on {4})',
                  stepTime(time.seconds),
                  shortNumber(time.flops / 1e9),
                  ratesText(step, time.rates),
                  bytes(time.rates.bytesPerSecond),
                  new Date(time.rates.at).toISOString().slice(0, 10),
                ),
              ],
            ]
          : []),
      ],
    },
    ...(fits === undefined ? [] : [fits]),
    ...(original === undefined ? [] : [original]),
    ...(problem === undefined ? [] : [problem]),
    ...(memory ? [measured()] : []),
  ];
}

/** "447 GFLOP/s", or "447 GFLOP/s, in int8 1,270" */
const ratesText = ({ precision }: StepCost, { gflops, int8Gflops }: MachineRates): string =>
  precision === undefined
    ? t('{0} GFLOP/s', shortNumber(gflops))
    : t('{0} GFLOP/s, in int8 {1}', shortNumber(gflops), shortNumber(int8Gflops));

const measured = (): string => t('A preflight measures an experiment.');

/** A row for each size. */
function severalSteps(steps: readonly StepCost[]): Part[] {
  const [{ memory, time, problem }] = steps;
  const original = originalText(steps[0]);
  return [
    { heading: t('Training steps on this CPU, estimated ({0})', methodText(steps[0])) },
    {
      columns: [t('size'), { number: t('memory') }, { number: t('time') }],
      rows: steps.map((step) => [
        batchText(step),
        step.memory ? bytes(step.memory.total) : (step.problem ?? ''),
        step.time ? t('about {0}', stepTime(step.time.seconds)) : '',
      ]),
    },
    ...(memory?.available === undefined
      ? []
      : [t('{0} of memory are available now.', bytes(memory.available))]),
    ...(original === undefined ? [] : [original]),
    ...(memory && !time && problem !== undefined ? [problem] : []),
    ...(memory ? [measured()] : []),
  ];
}
