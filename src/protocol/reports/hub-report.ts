import { t } from '../../base/l10n';
import { bytes, count, durationText } from '../../base/number-text';
import { someNames } from '../../base/text';
import type { DownloadEvent, HubData, HubModel, HubRepo, HubSplit, ModelVerdict } from '../hub';
import type { Part } from './report';
import { fitsText, isTooLarge, stepSettings, stepText } from './step-words';

/** Files that are named before the rest is counted. */
export const FEW_FILES = 12;

/** A fact for or against a model. */
export interface Finding {
  sign: 'good' | 'warning' | 'error' | 'unknown';
  text: string;
  /** The settings that it applies to. */
  settings?: string;
  /** The consequence, a sentence. */
  more?: string;
}

/** The verdict on training a model, with its cost or the obstacles. */
export function findings(verdict: ModelVerdict): Finding[] {
  if (verdict.usable === 'unknown') return [{ sign: 'unknown', text: verdict.problem }];
  if (!verdict.usable) {
    const { problem, hint } = verdict;
    return [
      {
        sign: 'error',
        text: t('Cannot be trained: {0}', problem),
        more: hint,
      },
    ];
  }
  const { family, parameters, layers, blocked, step } = verdict;
  const offers = [
    family ?? 'ONNX',
    t('{0} parameters', count(parameters)),
    layers === 1 ? t('1 module can be adapted') : t('{0} modules can be adapted', count(layers)),
    ...(blocked > 0 ? [t('{0} of them without a gradient', count(blocked))] : []),
  ];
  const text = stepText(step);
  const fits = fitsText(step);
  const cost: Finding[] =
    text !== undefined
      ? [
          {
            sign: isTooLarge(step) ? 'warning' : 'good',
            text: t('A training step takes {0}', text),
            settings: stepSettings(step),
            more: fits,
          },
        ]
      : step.problem === undefined
        ? []
        : [{ sign: 'warning', text: step.problem }];
  return [{ sign: blocked === layers ? 'warning' : 'good', text: offers.join(' · ') }, ...cost];
}

/** "fill-mask · mit · gated · at commit e2da8e2". */
export const repoFacts = ({ task, licence, gated, private: own, commit }: HubRepo): string =>
  [task, licence, gated && t('gated'), own && t('private'), t('at commit {0}', commit.slice(0, 7))]
    .filter(Boolean)
    .join(' · ');

/** The size of a split: "5.0 GB", "3 files"; and a remark if the hub has not all of it. */
export const splitFacts = ({ files, size, partial }: HubSplit): { sizes: string[]; remark?: string } => ({
  sizes: [bytes(size), ...(files > 1 ? [t('{0} files', count(files))] : [])],
  remark: partial && t('Only its beginning: the hub converts the first gigabytes of large data sets.'),
});

/** The planned download, and the facts that are known before it. */
export function downloadParts(shown: HubModel | HubData): Part[] {
  const { id, card, files, size, cached, host } = shown;
  const left = size - cached;
  return [
    { verdict: `${id} · ${repoFacts(shown)}` },
    ...(card === undefined ? [] : card.split('\n').map((line) => `│ ${line}`)),
    ...(shown.kind === 'model'
      ? findings(shown.verdict).map(({ text, settings, more }) =>
          [settings === undefined ? text : `${text} (${settings}).`, more ?? ''].join(' ').trim(),
        )
      : splitParts(shown)),
    {
      columns: ['', { number: '' }],
      rows: files.map((file) => [file.path, bytes(file.size)]),
      few: FEW_FILES,
    },
    left === 0
      ? t('{0}, all of it in the cache.', bytes(size))
      : cached > 0
        ? t(
            '{0}, of which {1} are in the cache, from {2} and the storage that it redirects to.',
            ...([bytes(size), bytes(cached), host] as const),
          )
        : t('{0}, from {1} and the storage that it redirects to.', bytes(size), host),
  ];
}

function splitParts({ config, configs, splits }: HubData): Part[] {
  if (splits.length === 0) return [];
  const others = configs.filter((name) => name !== config);
  return [
    ...(config === ''
      ? []
      : others.length > 0
        ? [t('Configuration {0}; others: {1}.', config, someNames(others, FEW_FILES))]
        : [t('Configuration {0}.', config)]),
    {
      columns: ['', { number: '' }, '', ''],
      rows: splits.map((split) => {
        const { sizes, remark = '' } = splitFacts(split);
        return [split.name, sizes[0], sizes[1] ?? '', remark];
      }),
    },
  ];
}

/** "100 MB of 500 MB · 30 s left". @param speed bytes per millisecond, 0 if unknown */
export const downloadedText = (done: number, total: number, speed: number): string =>
  [
    t('{0} of {1}', bytes(done), bytes(total)),
    ...(speed > 0 ? [t('{0} left', durationText((total - done) / speed / 1000))] : []),
  ].join(' · ');

/** A sentence about an event of a download that is not plain progress, such as waiting; undefined for the others. */
export function downloadText(event: DownloadEvent): string | undefined {
  switch (event.kind) {
    case 'waiting':
      return t('Another program is downloading {0}; waiting for it…', event.path);
    case 'verifying':
      return t('Checking {0}…', event.path);
    case 'retrying':
      return retryText(event);
    default:
      return undefined;
  }
}

/** A request that failed, and when it is repeated. */
export const retryText = ({ reason, seconds }: { reason: string; seconds: number }): string =>
  t('{0} Trying again in {1}.', /[.!?]$/.test(reason) ? reason : `${reason}.`, durationText(seconds));
