import type { PublishLine, Published, PublishPlan } from '../../protocol/publish';
import { count, durationText } from '../../base/number-text';
import { t } from '../../base/l10n';
import { programLine } from '../launcher/program';
import { progressText as exportProgress } from './export-text';
import { bytes } from './format';

const KINDS: PublishLine['kind'][] = [
  ...(['preparing', 'measuring', 'plan', 'ask', 'declined'] as const),
  ...(['sending', 'retrying', 'published', 'problem'] as const),
];

/** A line of `aurora publish --json`. */
export const parsePublishLine = (line: string): PublishLine | undefined => programLine(line, KINDS);

/** The progress text; undefined if there is nothing new. */
export function publishProgress(line: PublishLine): string | undefined {
  switch (line.kind) {
    case 'preparing':
    case 'measuring':
      return exportProgress(line);
    case 'sending':
      return t('{0} of {1} · {2}', bytes(line.done), bytes(line.total), line.path);
    case 'retrying':
      return t('{0} Trying again in {1}.', line.reason, durationText(line.seconds));
    default:
      return undefined;
  }
}

/** Files that are named before the rest is counted. */
const NAMED = 12;

/** The planned upload, before anything is sent: the question, and its details. */
export function publishQuestion(plan: PublishPlan): { question: string; detail: string } {
  const { host, base, revision, step, files, size, warnings } = plan;
  const shown = files.slice(0, NAMED).map((file) => `${file.path}, ${fileWords(file)}`);
  const rest = files.length - shown.length;
  return {
    question: placeQuestion(plan),
    detail: [
      t(
        'The adapter at step {0}, for {1}.',
        count(step),
        revision ? `${base}@${revision.slice(0, 7)}` : base,
      ),
      [...shown, ...(rest > 0 ? [t('and {0} more files', rest)] : [])].join('\n'),
      t('{0}, to {1} and the storage that it names. {2}', bytes(size), host, visibilityWords(plan)),
      ...warnings,
    ].join('\n\n'),
  };
}

function placeQuestion({ repo, isNew, private: own }: PublishPlan): string {
  if (isNew)
    return own
      ? t('Create the private repository {0} and upload the adapter?', repo)
      : t('Create the public repository {0} and upload the adapter?', repo);
  return own
    ? t('Upload the adapter to the private repository {0}?', repo)
    : t('Upload the adapter to the public repository {0}?', repo);
}

const visibilityWords = ({ private: own }: PublishPlan): string =>
  own
    ? t('Only you, and those to whom you give access, can see it.')
    : t('Everybody can see it and download it.');

function fileWords({ size, change }: PublishPlan['files'][number]): string {
  switch (change) {
    case 'new':
      return bytes(size);
    case 'replaced':
      return t('{0}, replaces the file there', bytes(size));
    case 'unchanged':
      return t('{0}, is there already', bytes(size));
  }
}

/** The result in one sentence. */
export const publishedText = ({ repo, commit, isNew }: Published): string =>
  isNew
    ? t('The adapter was published as {0}, at commit {1}.', repo, commit.slice(0, 7))
    : t('{0} has exactly this adapter already, at commit {1}.', repo, commit.slice(0, 7));
