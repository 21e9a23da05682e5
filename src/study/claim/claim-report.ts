import { t } from '../../base/l10n';
import { count, numberText } from '../../base/number-text';
import { sortedJson } from '../../base/sorted-json';
import { type Claim, endAt } from '../../experiment/claim';
import { formatMetric, metricInfo, type MetricValue } from '../../experiment/metrics';
import type { Settings } from '../../experiment/sweep';
import type { Part, Report, ReportTable } from '../../protocol/reports/report';
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
import { findingWords } from './finding-words';

/** A closed claim as a report: certificate.md, the terminal and the editor show it. */
export function claimReport(certificate: Certificate): Report {
  return {
    title: certificate.sentence,
    parts: [...verdictParts(certificate), ...details(certificate)],
  };
}

/** The verdict, and the step after one that is undecided. */
export function verdictParts(certificate: Certificate): Part[] {
  const needed = neededWords(certificate);
  return [{ verdict: verdictWords(certificate) }, ...(needed === undefined ? [] : [needed])];
}

/** A claim that is frozen, with its methods by name: a certificate, or one that is still open. */
export type NamedClaim = Pick<Certificate, 'frozen'> & { methods: readonly Pick<MethodResult, 'label'>[] };

const details = (certificate: Certificate): Part[] => [
  { heading: t('Looks') },
  ...lookParts(certificate, certificate.looks),
  { heading: t('Methods') },
  ...methodParts(certificate),
  { heading: t('Search') },
  ...searchParts(certificate.frozen.claim, certificate.methods),
  ...endsPart(certificate),
  { heading: t('Left out') },
  ...leftOutParts(certificate),
  { heading: t('What was frozen') },
  ...frozenParts(certificate),
];

/** The rules of the looks, and those that were taken. */
export const lookParts = (named: NamedClaim, looks: readonly Look[]): Part[] => [
  lookSentence(named),
  ...(looks.length === 0 ? [] : [lookTable(named, looks)]),
];

/** The looks by number of seeds and opponent. */
export function lookTable(named: NamedClaim, looks: readonly Look[]): ReportTable {
  const { metric } = named.frozen.claim;
  const unit = factorOf(metric) === 100 ? t('points') : metricInfo(metric).label;
  return {
    columns: [
      { number: t('Seeds') },
      t('Compared with'),
      { number: t('Difference, {0}', unit) },
      { number: t('Lower bound') },
      { number: t('Upper bound') },
      t('Finding'),
    ],
    rows: looks.flatMap((look) => lookRows(named, look)),
  };
}

/** The methods with their best settings and their means in the test. */
export function methodParts(certificate: Certificate): Part[] {
  const { metric } = certificate.frozen.claim;
  return [
    {
      columns: [
        t('Method'),
        { number: t('Parameters') },
        { number: t('Trials') },
        t('Best settings'),
        { number: t('{0}, mean of the test', metricInfo(metric).label) },
      ],
      rows: certificate.methods.map((method, i) => methodRow(certificate, method, i)),
    },
  ];
}

/** The search of a method so far: without a mean for values whose trials are not over. */
export interface SearchSoFar {
  label: string;
  tried: readonly { values: Settings; mean?: MetricValue }[];
  chosen?: Settings;
}

/** The search of all methods side by side, with a row for each combination of values. */
export function searchParts(claim: Claim, methods: readonly SearchSoFar[]): Part[] {
  const rows = new Map(
    methods.flatMap(({ tried }) => tried.map(({ values }) => [sortedJson(values), values] as const)),
  );
  const cell = ({ tried, chosen }: SearchSoFar, key: string) => {
    const mean = tried.find(({ values }) => sortedJson(values) === key)?.mean;
    const text = mean === undefined ? '…' : formatMetric(claim.metric, mean);
    return chosen && sortedJson(chosen) === key ? `★ ${text}` : text;
  };
  return [
    t(
      'Every method was searched with the same values and the same seeds, which the test does not use. {0} ★ marks the best mean of a method.',
      claim.on === 'validation'
        ? t('The search held out a share of the training data in place of the validation data.')
        : t('The search used the validation data.'),
    ),
    {
      columns: [
        t('Settings'),
        ...methods.map(({ label }) => ({ number: `${label}, ${metricInfo(claim.metric).label}` })),
      ],
      rows: [...rows].map(([key, values]) => [
        valuesText(values),
        ...methods.map((method) => cell(method, key)),
      ]),
    },
  ];
}

/** Runs that have no number, and why. */
export function leftOutParts({ leftOut, runs, methods }: Certificate): Part[] {
  if (leftOut.length === 0) return [t('Nothing was left out: all {0} runs count.', count(runs.length))];
  return [
    {
      list: leftOut.map(({ run, method, seed, phase }) =>
        t(
          '`{0}` ({1}, seed {2}, {3}): training diverged.',
          ...([run, methods[method]!.label, String(seed)] as const),
          phase === 'search' ? t('search') : t('test'),
        ),
      ),
    },
  ];
}

/** The files and the hash of a claim, and the seeds that follow from it. */
export const frozenParts = ({
  frozen,
  hash,
  seeds,
}: Pick<Certificate, 'frozen' | 'hash'> & Partial<Pick<Certificate, 'seeds'>>): Part[] => [
  seeds
    ? t(
        'SHA-256 `{0}` of the claim, the experiment, the model and the data, before the first trial. Seeds follow from it: {1} for the search, {2} for the test.',
        hash,
        rangeText(seeds.search),
        rangeText(seeds.test),
      )
    : t('SHA-256 `{0}…` of the claim, the experiment, the model and the data, before the first trial.', hash),
  {
    columns: [{ code: t('File') }, { code: 'SHA-256' }],
    rows: frozen.files.flatMap(({ path, sha256 }) => (sha256 === null ? [] : [[path, sha256]])),
  },
];

/** The rules by which looks decide. */
export function lookSentence({ frozen: { claim, looks } }: NamedClaim): string {
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

function lookRows({ frozen: { claim }, methods }: NamedClaim, look: Look): string[][] {
  const labels = sideLabels(
    claim,
    methods.map(({ label }) => label),
  );
  if (look.results.length === 0) return [[String(look.seeds), '', '', '', '', t('diverged')]];
  return look.results.map((result, i) => [
    String(look.seeds),
    labels[i + 1]!,
    ...intervalText(claim.metric, result),
    findingWords(result.finding),
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

/** Best values at the end of what was searched: a wider search may find better ones. */
export function endsPart({ methods }: Certificate): Part[] {
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
