import { t } from '../../base/l10n';
import { formatMetric, metricInfo, metricValue, type Metrics } from '../../experiment/metrics';
import { bytes, count } from '../../base/number-text';
import type { Published, PublishLine, PublishPlan } from '../publish';
import { exportProgress } from './export-report';
import { FEW_FILES, retryText } from './hub-report';
import { warningsPart, type Part } from './report';

/** The progress text; undefined if there is nothing new. */
export function publishProgress(line: PublishLine): string | undefined {
  switch (line.kind) {
    case 'preparing':
    case 'fitting':
    case 'not-fitted':
    case 'measuring':
      return exportProgress(line);
    case 'sending':
      return t('{0} of {1} · {2}', bytes(line.done), bytes(line.total), line.path);
    case 'retrying':
      return retryText(line);
    default:
      return undefined;
  }
}

/** The question before anything is sent. */
export function publishQuestion({ repo, isNew, private: own }: PublishPlan): string {
  if (isNew)
    return own
      ? t('Create the private repository {0} and upload the adapter?', repo)
      : t('Create the public repository {0} and upload the adapter?', repo);
  return own
    ? t('Upload the adapter to the private repository {0}?', repo)
    : t('Upload the adapter to the public repository {0}?', repo);
}

/** The planned upload, above the question. */
export const publishParts = (plan: PublishPlan): Part[] => [
  adapterText(plan),
  {
    columns: ['', { number: '' }, ''],
    rows: plan.files.map(({ path, size, change }) => [path, bytes(size), changeText(change)]),
  },
  targetText(plan),
  ...warningsPart(plan.warnings),
];

/** The planned upload in paragraphs, below the question in a dialog, which shows plain text. */
export function publishDetail(plan: PublishPlan): string {
  const { files, warnings } = plan;
  const shown = files
    .slice(0, FEW_FILES)
    .map(({ path, size, change }) => [path, bytes(size), changeText(change)].filter(Boolean).join(', '));
  const rest = files.length - shown.length;
  return [
    adapterText(plan),
    [...shown, ...(rest > 0 ? [t('and {0} more files', rest)] : [])].join('\n'),
    targetText(plan),
    ...warnings,
  ].join('\n\n');
}

function adapterText({ run, step, base, revision, exported }: PublishPlan): string {
  const { merge, metrics, drop } = exported;
  const model = revision ? `${base}@${revision.slice(0, 7)}` : base;
  const what = t('The adapter of {0} at step {1}, for {2}.', run, count(step), model);
  if (merge === undefined) return what;
  const form =
    merge === 'fitted'
      ? t('It is a LoRA, in which AuroRA’s nonlinearity is replaced by its linear fit:')
      : t('It is a LoRA, made by the paper’s merge:');
  const value = (m: Metrics) => formatMetric(drop.metric, metricValue(m, drop.metric));
  const result = t(
    '{0} is {1} on the validation data, and {2} as trained.',
    metricInfo(drop.metric).label,
    value(metrics.exported),
    value(metrics.trained),
  );
  return [what, form, result].join(' ');
}

const targetText = ({ size, repo, isNew, host, private: own }: PublishPlan): string =>
  t(
    '{0}, to {1} on {2} and the storage that it names. {3}',
    bytes(size),
    isNew ? t('the new repository {0}', repo) : repo,
    host,
    visibilityText(own),
  );

/** Who can see a repository. */
export const visibilityText = (isPrivate: boolean): string =>
  isPrivate
    ? t('Only you, and those to whom you give access, can see it.')
    : t('Everybody can see it and download it.');

function changeText(change: PublishPlan['files'][number]['change']): string {
  if (change === 'new') return '';
  return change === 'replaced' ? t('replaces the file there') : t('is there already');
}

/**
 * The result in one sentence.
 *
 * @param name the repository, or its page for a reader who cannot open it with a click
 */
export const publishedText = ({ commit, isNew }: Published, name: string): string =>
  isNew
    ? t('The adapter was published as {0}, at commit {1}.', name, commit.slice(0, 7))
    : t('{0} has exactly this adapter already, at commit {1}.', name, commit.slice(0, 7));
