import { escapeControls } from '../../base/controls';
import { count } from '../../base/number-text';
import { durationText } from '../../base/time-text';
import { t } from '../../base/l10n';
import type {
  DownloadEvent,
  FoundRepo,
  HubData,
  HubModel,
  HubRepo,
  HubSplit,
  ModelVerdict,
} from '../../protocol/hub';
import type { StepCost } from '../../protocol/step-cost';
import { ago, bytes } from './format';
import { stepSettings, stepText } from './step-text';

/** A row of a quick pick. */
export interface Row {
  label: string;
  description?: string;
  detail?: string;
}

/** Texts of the hub are displayed on one line: in rows of a quick pick, "$(name)" would be an icon. */
const plain = (text: string): string => escapeControls(text).replaceAll('$(', '$\u200b(');

/** Files that are listed before the rest is counted. */
const NAMED = 12;

/** A repository that a search found: its task first, then its size, its license and its downloads. */
export function foundRow(
  { id, task, size, licence, downloads, changed, gated, private: own }: FoundRepo,
  now: number,
  locale: string,
): Row {
  const time = Date.parse(changed ?? '');
  return {
    label: id,
    description: [
      ...[task && plain(task), size !== undefined && bytes(size), licence && plain(licence)],
      t('{0} downloads', count(downloads)),
      !Number.isNaN(time) && t('changed {0}', ago(time, now, locale)),
      gated && `$(lock) ${t('gated')}`,
      own && `$(lock) ${t('private')}`,
    ]
      .filter(Boolean)
      .join(' · '),
  };
}

/** "fill-mask · mit · at commit e2da8e2". */
export const repoFacts = ({ task, licence, gated, private: own, commit }: HubRepo): string =>
  [
    task && plain(task),
    licence && plain(licence),
    gated && t('gated'),
    own && t('private'),
    t('at commit {0}', commit.slice(0, 7)),
  ]
    .filter(Boolean)
    .join(' · ');

/** The action of the first row of the details, and its source. */
export function downloadRow({ size, cached, host }: HubRepo, cache: string): Row {
  const left = size - cached;
  if (left === 0)
    return { label: `$(check) ${t('Use')}`, description: t('{0}, all of it in {1}', bytes(size), cache) };
  const rest = cached > 0 ? t('of {0}; the rest is in the cache', bytes(size)) : '';
  return {
    label: `$(cloud-download) ${t('Download {0}', bytes(left))}`,
    description: [rest, t('to {0}, which Python shares', cache)].filter(Boolean).join(' · '),
    detail: t('Contacts {0} and the storage that it redirects to.', host),
  };
}

/** The verdict on training a model, with its cost or the obstacles. */
export function verdictRows(verdict: ModelVerdict): Row[] {
  if (verdict.usable === 'unknown') return [{ label: `$(question) ${plain(verdict.problem)}` }];
  if (!verdict.usable) {
    const label = `$(error) ${t('Cannot be trained: {0}', plain(verdict.problem))}`;
    return [{ label, detail: verdict.hint && plain(verdict.hint) }];
  }
  const { family, parameters, layers, blocked, step } = verdict;
  const offers = [
    family === undefined ? 'ONNX' : plain(family),
    t('{0} parameters', count(parameters)),
    layers === 1 ? t('1 module can be adapted') : t('{0} modules can be adapted', count(layers)),
    ...(blocked > 0 ? [t('{0} of them without a gradient', count(blocked))] : []),
  ];
  return [
    { label: `${blocked === layers ? '$(warning)' : '$(check)'} ${offers.join(' · ')}` },
    ...stepRows(step),
  ];
}

function stepRows(step: StepCost): Row[] {
  const { memory, problem } = step;
  const text = stepText(step);
  if (text === undefined || !memory)
    return problem === undefined ? [] : [{ label: `$(warning) ${plain(problem)}` }];
  const { total, available } = memory;
  const large = available !== undefined && total > available;
  const fits =
    available === undefined
      ? undefined
      : large
        ? t('More than the {0} of memory that are available now.', bytes(available))
        : t('Fits the {0} of memory that are available now.', bytes(available));
  return [
    {
      label: `${large ? '$(warning)' : '$(check)'} ${t('A training step takes {0}', text)}`,
      description: stepSettings(step),
      detail: fits,
    },
  ];
}

export const fileRows = ({ files }: HubRepo): Row[] => [
  ...files.slice(0, NAMED).map(({ path, size }) => ({ label: plain(path), description: bytes(size) })),
  ...(files.length > NAMED ? [{ label: t('{0} more files', count(files.length - NAMED)) }] : []),
];

/** The informative lines of a card. */
export const cardRows = ({ card = '' }: HubRepo): Row[] =>
  card
    .split('\n')
    .filter((line) => /[\p{L}\p{N}]/u.test(line))
    .map((label) => ({ label: plain(label) }));

export const splitRow = ({ name, files, size, partial }: HubSplit): Row => ({
  label: name,
  description: [bytes(size), ...(files > 1 ? [t('{0} files', count(files))] : [])].join(' · '),
  ...(partial && {
    detail: t('Only its beginning: the hub converts the first gigabytes of large data sets.'),
  }),
});

/** The question before a file's references are downloaded. */
export function namedText(shown: readonly (HubModel | HubData)[]): { message: string; detail: string } {
  const left = (of: readonly HubRepo[]) => of.reduce((sum, { size, cached }) => sum + size - cached, 0);
  return {
    message: t('Download {0} from {1}?', bytes(left(shown)), shown[0]?.host ?? ''),
    detail: shown.map((repo) => `${repo.id}: ${bytes(left([repo]))}`).join('\n'),
  };
}

/** The text of the progress notification, and the progress in percent since the last event. */
export class HubProgressText {
  private share = 0;
  private began = 0;
  private before = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  next(event: DownloadEvent): { message?: string; increment?: number } {
    switch (event.kind) {
      case 'started':
        // A second repository of the same experiment starts again, and a bar cannot go back.
        this.began = this.now();
        this.before = event.done;
        this.share = 0;
        return { message: t('{0} of {1}', bytes(event.done), bytes(event.total)) };
      case 'progress':
        return this.progress(event);
      case 'waiting':
        return { message: t('Another program is downloading {0}; waiting for it…', event.path) };
      case 'verifying':
        return { message: t('Checking {0}…', event.path) };
      case 'retrying':
        return {
          message: t('{0} Trying again in {1}.', sentence(event.reason), durationText(event.seconds)),
        };
      case 'file':
        return {};
    }
  }

  private progress({ done, total }: { done: number; total: number }): { message: string; increment: number } {
    const speed = (done - this.before) / (this.now() - this.began);
    const left = speed > 0 ? [t('{0} left', durationText((total - done) / speed / 1000))] : [];
    const share = total > 0 ? (100 * done) / total : 100;
    const increment = Math.max(0, share - this.share);
    this.share = Math.max(share, this.share);
    return { message: [t('{0} of {1}', bytes(done), bytes(total)), ...left].join(' · '), increment };
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
