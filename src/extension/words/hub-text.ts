import { escapeControls } from '../../base/escape';
import { count } from '../../base/number-text';
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
import {
  downloadedText,
  downloadText,
  FEW_FILES,
  findings,
  repoFacts,
  splitFacts,
} from '../../protocol/reports/hub-report';
import { ago, bytes } from './format';

/** A row of a quick pick. */
export interface Row {
  label: string;
  description?: string;
  detail?: string;
}

/** Texts of the hub are displayed on one line: in rows of a quick pick, "$(name)" would be an icon. */
const plain = (text: string): string => escapeControls(text).replaceAll('$(', '$\u200b(');

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

/** The facts about a repository, beside its name. */
export const repoLine = (repo: HubRepo): string => plain(repoFacts(repo));

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

const ICONS = { good: '$(check)', warning: '$(warning)', error: '$(error)', unknown: '$(question)' };

/** The verdict on training a model, with its cost or the obstacles. */
export const verdictRows = (verdict: ModelVerdict): Row[] =>
  findings(verdict).map(({ sign, text, settings, more }) => ({
    label: `${ICONS[sign]} ${plain(text)}`,
    description: settings,
    detail: more && plain(more),
  }));

export const fileRows = ({ files }: HubRepo): Row[] => [
  ...files.slice(0, FEW_FILES).map(({ path, size }) => ({ label: plain(path), description: bytes(size) })),
  ...(files.length > FEW_FILES ? [{ label: t('{0} more files', count(files.length - FEW_FILES)) }] : []),
];

/** The informative lines of a card. */
export const cardRows = ({ card = '' }: HubRepo): Row[] =>
  card
    .split('\n')
    .filter((line) => /[\p{L}\p{N}]/u.test(line))
    .map((label) => ({ label: plain(label) }));

export function splitRow(split: HubSplit): Row {
  const { sizes, remark } = splitFacts(split);
  return {
    label: split.name,
    description: sizes.join(' · '),
    detail: remark,
  };
}

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
        return { message: downloadedText(event.done, event.total, 0) };
      case 'progress':
        return this.progress(event);
      default: {
        const message = downloadText(event);
        return message === undefined ? {} : { message };
      }
    }
  }

  private progress({ done, total }: { done: number; total: number }): { message: string; increment: number } {
    const speed = (done - this.before) / (this.now() - this.began);
    const share = total > 0 ? (100 * done) / total : 100;
    const increment = Math.max(0, share - this.share);
    this.share = Math.max(share, this.share);
    return { message: downloadedText(done, total, speed), increment };
  }
}
