import { t } from '../../base/l10n';
import { count, numberText } from '../../base/number-text';
import { endAt } from '../../experiment/claim';
import { formatMetric, metricInfo } from '../../experiment/metrics';
import type { Part, Report } from '../../protocol/reports/report';
import { factorOf } from '../metric';
import type { Certificate, Look, MethodResult } from './certificate';
import {
  amount,
  examplesWords,
  intervalText,
  neededWords,
  sideLabels,
  valuesText,
  verdictWords,
} from './claim-words';

/** A closed claim as a report: certificate.md, the terminal and the editor show it. */
export function claimReport(certificate: Certificate): Report {
  return {
    title: certificate.sentence,
    parts: [{ verdict: verdictWords(certificate) }, ...details(certificate)],
  };
}

function details(certificate: Certificate): Part[] {
  const { frozen, looks, methods, seeds, hash, runs, leftOut } = certificate;
  const { claim } = frozen;
  const needed = neededWords(certificate);
  const unit = factorOf(claim.metric) === 100 ? t('points') : metricInfo(claim.metric).label;
  return [
    ...(needed === undefined ? [] : [needed]),
    { heading: t('Looks') },
    lookSentence(certificate),
    {
      columns: [
        { number: t('Seeds') },
        t('Compared with'),
        { number: t('Difference, {0}', unit) },
        { number: t('Lower bound') },
        { number: t('Upper bound') },
        t('Finding'),
      ],
      rows: looks.flatMap((look) => lookRows(certificate, look)),
    },
    { heading: t('Methods') },
    {
      columns: [
        t('Method'),
        { number: t('Parameters') },
        { number: t('Trials') },
        t('Best settings'),
        { number: t('{0}, mean of the test', metricInfo(claim.metric).label) },
      ],
      rows: methods.map((method, i) => methodRow(certificate, method, i)),
    },
    t(
      'Every method was searched with the same values and the same seeds, which the test does not use. {0}',
      claim.on === 'validation'
        ? t('The search held out a share of the training data in place of the validation data.')
        : t('The search used the validation data.'),
    ),
    ...methods.flatMap((method) => searchParts(certificate, method)),
    ...endsPart(certificate),
    { heading: t('Left out') },
    leftOut.length === 0
      ? t('Nothing was left out: all {0} runs count.', count(runs.length))
      : {
          list: leftOut.map(({ run, method, seed, phase }) =>
            t(
              '`{0}` ({1}, seed {2}, {3}): training diverged.',
              ...([run, methods[method]!.label, String(seed)] as const),
              phase === 'search' ? t('search') : t('test'),
            ),
          ),
        },
    { heading: t('What was frozen') },
    t(
      'SHA-256 `{0}` of the claim, the experiment, the model and the data, before the first trial. Seeds follow from it: {1} for the search, {2} for the test.',
      hash,
      rangeText(seeds.search),
      rangeText(seeds.test),
    ),
    {
      columns: [{ code: t('File') }, { code: 'SHA-256' }],
      rows: frozen.files.flatMap(({ path, sha256 }) => (sha256 === null ? [] : [[path, sha256]])),
    },
  ];
}

function lookSentence({ frozen: { claim, looks } }: Certificate): string {
  const size = amount(claim.metric, claim.by);
  const plan = looks
    .map(({ seeds, level }) => t('{0} seeds at {1}%', seeds, numberText(100 * level)))
    .join(t(' and '));
  const margin =
    claim.relation === 'better'
      ? t(
          'The claim holds if the lower bound is above 0, and does not if the upper bound is below {0}.',
          size,
        )
      : t(
          'The claim holds if the lower bound is above −{0}, and does not if the upper bound is below 0.',
          size,
        );
  return t(
    'Differences are those of the first method on {0}; positive ones favor it. Bounds are one-sided, with seeds and examples as samples where predictions for each example are known. Planned looks: {1}. {2}',
    examplesWords(claim.on),
    plan,
    margin,
  );
}

function lookRows({ frozen: { claim }, methods }: Certificate, look: Look): string[][] {
  const labels = sideLabels(
    claim,
    methods.map(({ label }) => label),
  );
  if (look.results.length === 0) return [[String(look.seeds), '', '', '', '', t('diverged')]];
  return look.results.map((result, i) => [
    String(look.seeds),
    labels[i + 1]!,
    ...intervalText(claim.metric, result),
    {
      supported: t('holds'),
      refuted: t('does not hold'),
      small: t('holds, below what matters'),
      open: t('undecided'),
    }[result.finding],
  ]);
}

function methodRow({ frozen: { claim }, runs }: Certificate, method: MethodResult, i: number): string[] {
  const own = runs.filter((run) => run.phase === 'test' && run.method === i);
  const mean = (form: 'trained' | 'fitted') => {
    const values = own.flatMap(({ results }) => results[form]?.value ?? []);
    return values.length === 0
      ? []
      : [formatMetric(claim.metric, values.reduce((a, b) => a + b, 0) / values.length)];
  };
  const fitted = mean('fitted').map((text) => t('{0} as linear fit', text));
  return [
    method.label,
    count(method.parameters),
    count(method.tried.length * claim.search.seeds),
    valuesText(method.chosen),
    [...mean('trained'), ...fitted].join(', '),
  ];
}

function searchParts({ frozen: { claim } }: Certificate, { label, tried }: MethodResult): Part[] {
  return [
    t('Search of {0}:', label),
    {
      columns: [t('Settings'), { number: metricInfo(claim.metric).label }],
      rows: tried.map(({ values, mean }) => [valuesText(values), formatMetric(claim.metric, mean)]),
    },
  ];
}

/** Best values at the end of what was searched: a wider search may find better ones. */
function endsPart({ methods }: Certificate): Part[] {
  const list = methods.flatMap(({ label, tried, chosen }) =>
    Object.entries(chosen).flatMap(([key, value]) => {
      const values = tried.map((one) => one.values[key]);
      return endAt(values, value)
        ? [
            t(
              'The best {0} of {1} is at the end of the values that were searched: a wider search may find a better one.',
              `\`${key}\``,
              label,
            ),
          ]
        : [];
    }),
  );
  return list.length === 0 ? [] : [{ list }];
}

const rangeText = (seeds: readonly number[]): string =>
  seeds.length === 1 ? String(seeds[0]) : `${seeds[0]}–${seeds.at(-1)}`;
