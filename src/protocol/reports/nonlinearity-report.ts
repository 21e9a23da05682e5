import { t } from '../../base/l10n';
import { count, durationText, percent, r2Text, shortNumber } from '../../base/number-text';
import { METHOD_NAMES } from '../../experiment/methods';
import { metricCells, metricHeads } from '../../experiment/metrics';
import { shownMetrics } from '../../experiment/shown-metrics';
import type { Fallback } from '../linear-fit';
import {
  isClearlyAbove,
  type LayerNonlinearity,
  type Nonlinearity,
  type NonlinearityLine,
  type PairedRise,
  type Share,
} from '../nonlinearity';
import { type Part, type ReportTable, warningsPart } from './report';

/** The parts of a result that its words need: a page has no use for file paths and lines. */
export type NonlinearityFacts = Omit<Nonlinearity, 'version' | 'data' | 'evaluation' | 'layers'> & {
  layers: LayerFacts[];
};
export type LayerFacts = Omit<LayerNonlinearity, 'M' | 'c'>;

/** The progress text; undefined if there is nothing new. */
export function nonlinearityProgress(line: NonlinearityLine): string | undefined {
  if (line.kind === 'fitting')
    return t('Fitting σ: {0} of {1} training tokens…', count(line.done), count(line.of));
  if (line.kind !== 'measuring') return undefined;
  const { done, of, examples, secondsLeft } = line;
  return secondsLeft === undefined
    ? t('Measuring: pass {0} of {1} over {2} examples…', done + 1, of, count(examples))
    : t(
        'Measuring: pass {0} of {1} over {2} examples, {3} left…',
        ...([done + 1, of, count(examples), durationText(secondsLeft)] as const),
      );
}

/** The parts of a result that its words need. */
export const nonlinearityFacts = (result: Nonlinearity): NonlinearityFacts => ({
  step: result.step,
  form: result.form,
  method: result.method,
  linear: result.linear,
  inputs: result.inputs,
  examples: result.examples,
  of: result.of,
  tokens: result.tokens,
  trained: result.trained,
  fitted: result.fitted,
  removed: result.removed,
  headOnly: result.headOnly,
  head: result.head,
  lost: result.lost,
  gain: result.gain,
  headGain: result.headGain,
  share: result.share,
  headShare: result.headShare,
  layers: result.layers.map(({ path, r2, fallback, rise }) => ({ path, r2, fallback, rise })),
});

/** The whole report, its result first. */
export const nonlinearityParts = (result: NonlinearityFacts): Part[] => [
  ...warningsPart([...(result.inputs?.changed ?? []), ...(result.inputs?.notes ?? [])]),
  nonlinearityVerdict(result),
  ...nonlinearityRemarks(result),
  nonlinearityRows(result),
  ...(result.layers.length > 0
    ? [
        { heading: measuresLayers(result) ? t('Each layer alone') : t('The fit of each layer') },
        ...layersRemark(result),
        nonlinearityLayers(result),
      ]
    : []),
];

/** The result in one sentence: what the loss of all σ costs. */
export function nonlinearityVerdict({ linear, method, lost, share }: NonlinearityFacts): string {
  if (linear === 'method')
    return t(
      '{0} has no nonlinearity between its matrices, so nothing depends on one.',
      METHOD_NAMES[method],
    );
  if (linear === 'static')
    return t('The static form was trained last. It is linear, so nothing depends on σ.');
  const [low, high] = ends(lost);
  if (isClearlyAbove(lost))
    return t(
      'Replacing σ by its linear fit in all layers raises the validation loss by {0} (95% interval {1} to {2}).',
      ...([shortNumber(lost.mean), low, high] as const),
    );
  if (lost.mean < -lost.half)
    return t(
      'Replacing σ by its linear fit in all layers changes the validation loss by {0} (95% interval {1} to {2}): it is no worse, so nothing that the adapters gain depends on σ.',
      ...([signed(lost.mean), low, high] as const),
    );
  if (share && share.high < LITTLE)
    return t(
      'Nothing measurable depends on σ: replacing it by its linear fit in all layers changes the validation loss by {0} (95% interval {1} to {2}).',
      ...([signed(lost.mean), low, high] as const),
    );
  return t(
    'Replacing σ by its linear fit in all layers changes the validation loss by {0} (95% interval {1} to {2}). That is not clearly different from 0, so no effect of σ can be shown on these examples.',
    ...([signed(lost.mean), low, high] as const),
  );
}

/** An unclear share counts as nothing if its interval ends below this. */
const LITTLE = 0.05;

/** Full sentences about the share of the gain, and about what was measured. */
export function nonlinearityRemarks(result: NonlinearityFacts): string[] {
  const { linear, gain, share, head, headOnly, headGain, headShare, examples, of, tokens } = result;
  const about: string[] = [];
  if (share && linear === undefined)
    about.push(
      t(
        'That is {0} of what the adapters gain (95% interval {1}), which is the rise of the loss without them, {2}.',
        ...([signedPercent(share.value), shareEnds(share), shortNumber(gain.mean)] as const),
      ),
    );
  else if (!isClearlyAbove(gain))
    about.push(
      t(
        'Without the adapters, the loss changes by {0} (95% interval {1} to {2}), which is not clearly a rise, so no share of a gain can be stated.',
        ...([signed(gain.mean), ...ends(gain)] as const),
      ),
    );
  if (head) about.push(...headRemarks(linear, headOnly !== undefined, headGain, headShare));
  const measured =
    examples === of
      ? t('Measured on all {0} validation examples.', count(of))
      : t('Measured on {0} of {1} validation examples, evenly spaced.', count(examples), count(of));
  about.push(
    tokens === undefined
      ? measured
      : `${measured} ${t('Fitted on up to {0} training tokens for each layer.', count(tokens))}`,
  );
  return about;
}

function headRemarks(
  linear: Nonlinearity['linear'],
  measured: boolean,
  gain: PairedRise | undefined,
  share: Share | undefined,
): string[] {
  if (!measured || !gain)
    return [
      t(
        'The head was trained with the adapters, so their removal overstates their gain. A run of this experiment with adapter.method "none" and the same seed would show the gain over a head alone.',
      ),
    ];
  if (share && linear === undefined)
    return [
      t(
        'The head was trained with the adapters, so their removal overstates their gain. Over a run that trained only a head, the gain is {0}, and the share is {1} (95% interval {2}).',
        ...([shortNumber(gain.mean), signedPercent(share.value), shareEnds(share)] as const),
      ),
    ];
  return [
    t(
      'The head was trained with the adapters, so their removal overstates their gain. Over a run that trained only a head, the gain is {0} (95% interval {1} to {2}).',
      ...([signed(gain.mean), ...ends(gain)] as const),
    ),
  ];
}

/** The rows of the run: metrics, and the paired rise of the loss. */
export function nonlinearityRows(result: NonlinearityFacts): ReportTable {
  const { trained, fitted, removed, headOnly, lost, gain, headGain, linear, step } = result;
  const names = shownMetrics(undefined, trained, fitted, removed, ...(headOnly ? [headOnly.metrics] : []));
  const rows: [string, typeof trained, PairedRise | undefined][] = [
    [t('as trained'), trained, undefined],
    ...(linear === undefined ? [[t('fitted'), fitted, lost] as [string, typeof trained, PairedRise]] : []),
    [t('adapters removed'), removed, gain],
    ...(headOnly && headGain
      ? [[t('head only'), headOnly.metrics, headGain] as [string, typeof trained, PairedRise]]
      : []),
  ];
  return {
    columns: [
      t('step {0}', count(step)),
      ...metricHeads(names).map((number) => ({ number })),
      { number: t('rise of the loss') },
      { number: t('standard error') },
    ],
    rows: rows.map(([name, metrics, rise]) => [
      name,
      ...metricCells(names, metrics),
      rise ? signed(rise.mean) : '–',
      rise ? shortNumber(rise.error) : '–',
    ]),
  };
}

/** Below this, the adjusted p-value of a layer counts as clear. */
const CLEAR = 0.05;

/** True if replacing this layer alone clearly raises the loss. */
export const needsSigma = ({ rise }: LayerFacts): boolean =>
  rise !== undefined && rise.mean > 0 && rise.chance < CLEAR;

const measuresLayers = ({ layers }: NonlinearityFacts): boolean =>
  layers.some(({ rise }) => rise !== undefined);

function layersRemark(result: NonlinearityFacts): string[] {
  if (!measuresLayers(result)) return [];
  const { layers } = result;
  const clear = layers.filter(needsSigma);
  if (clear.length === 0)
    return [
      t(
        'In none of the {0} layers does replacing σ clearly raise the loss (p ≥ 0.05, adjusted by Holm).',
        layers.length,
      ),
    ];
  const most = clear.reduce((a, b) => (b.rise!.mean > a.rise!.mean ? b : a));
  return [
    t(
      'In {0} of {1} layers, replacing σ clearly raises the loss (p < 0.05, adjusted by Holm), most in {2}.',
      ...([clear.length, layers.length, most.path] as const),
    ),
  ];
}

function nonlinearityLayers(result: NonlinearityFacts): ReportTable {
  const { layers } = result;
  const measured = measuresLayers(result);
  return {
    columns: [
      t('layer'),
      { number: 'R²' },
      ...(measured ? [{ number: t('rise of the loss') }, { number: t('standard error') }] : []),
      '',
    ],
    rows: layers.map((layer) => [
      layer.path,
      r2Text(layer.r2),
      ...(measured
        ? [layer.rise ? signed(layer.rise.mean) : '–', layer.rise ? shortNumber(layer.rise.error) : '–']
        : []),
      layerNote(layer),
    ]),
  };
}

/** The remarks on a layer in a table; empty if nothing stands out. */
export const layerNote = (layer: LayerFacts): string =>
  [needsSigma(layer) ? t('clear') : '', layer.fallback ? fallbackWords(layer.fallback) : '']
    .filter((words) => words !== '')
    .join('; ');

/** The reason why a layer was fitted by a simpler rule. */
export function fallbackWords(fallback: Fallback): string {
  switch (fallback) {
    case 'few-tokens':
      return t('fewer tokens than coefficients');
    case 'constant':
      return t('z is constant');
    case 'singular':
      return t('coordinates of z depend on each other');
  }
}

/** "+0.0123", "−0.0045" */
export const signed = (value: number): string =>
  value === 0 ? '0' : `${value < 0 ? '−' : '+'}${shortNumber(Math.abs(value))}`;

const ends = ({ mean, half }: PairedRise): [string, string] => [signed(mean - half), signed(mean + half)];

const shareEnds = ({ low, high }: Share): string => t('{0} to {1}', signedPercent(low), signedPercent(high));

const signedPercent = (share: number): string => percent(share).replace('-', '−');
