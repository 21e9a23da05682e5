import * as vscode from 'vscode';
import type { PublishLine } from '../../protocol/publish';
import {
  publishDetail,
  publishedText,
  publishProgress,
  publishQuestion,
  visibilityText,
} from '../../protocol/reports/publish-report';
import { programLine } from '../../executors/local/program';
import type { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { repoName, requireRepoId } from '../../experiment/repo-name';
import type { Published, PublishPlan } from '../../protocol/publish';
import { runFrom } from '../ask/pick';
import { hubEnvironment } from '../launcher/environment';
import { throughNetwork } from '../launcher/network';
import { programError } from '../../executors/local/program';
import { trustedFor } from '../notices/open-report';
import { experimentLabel, runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { hubHost, hubPage, environmentHasToken } from '../hub/host';
import { offerSignIn, storedToken, withAccess } from '../hub/token';
import { isExportable, pickPublishedForm, stateOf, publishEvenIfWorse } from './export-questions';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';
import { askText } from '../messages/input';

/** Uploads the adapter of a run to a repository of the user's, after showing the files and the target. */
export async function publishAdapter(services: Services, argument: unknown): Promise<void> {
  const message = t('Publishing runs the model to measure it, which requires a trusted workspace.');
  if (!(await trustedFor(message))) return;
  const choice = { title: t('Select a run to publish'), filter: isExportable };
  const run = await runFrom(services, argument, choice);
  if (!run || !(await publishEvenIfWorse(run))) return;
  if (!(await haveToken(services))) return;
  const form = await pickPublishedForm(run);
  const to = form && (await askRepository(run));
  const visible = to === undefined ? undefined : await pickVisibility();
  if (!form || to === undefined || visible === undefined) return;
  const args = ['publish', run.folder, '--to', to, '--at', stateOf(run, argument), ...form, ...visible];
  const published = await withAccess(services, TOKENS(), () => work(services, runLabel(run), args));
  if (published) await tell(published);
}

const TOKENS = () => hubPage('settings/tokens');

/** Checks for a token before any question, which would be for nothing. Only the hub knows whether a token may write. */
async function haveToken({ context }: Services): Promise<boolean> {
  if ((await storedToken(context)) !== undefined || (await environmentHasToken())) return true;
  const message = t('Publishing needs an access token of the hub, and there is none.');
  return offerSignIn(context, message, TOKENS());
}

async function askRepository(run: RunEntry): Promise<string | undefined> {
  const value = repoName(experimentLabel(run));
  const text = await askText({
    title: t('Publish {0}', runLabel(run)),
    prompt: t(
      'A repository on {0}: OWNER/NAME, or a NAME in your own account. If there is none, it is created after you have agreed.',
      hubHost(),
    ),
    value,
    ignoreFocusOut: true,
    validateInput(name) {
      try {
        // Whose account it is, only the hub knows.
        requireRepoId(name.includes('/') ? name : `owner/${name}`);
        return undefined;
      } catch (e) {
        return [(e as AuroraError).message, (e as AuroraError).hint].join(' ');
      }
    },
  });
  return text;
}

const KINDS: PublishLine['kind'][] = [
  ...(['preparing', 'fitting', 'not-fitted', 'measuring', 'plan', 'ask', 'declined'] as const),
  ...(['sending', 'retrying', 'published', 'problem'] as const),
];

/** @returns options of the command */
async function pickVisibility(): Promise<string[] | undefined> {
  const items = [
    {
      label: `$(lock) ${t('Private')}`,
      detail: visibilityText(true),
      options: [] as string[],
    },
    {
      label: `$(globe) ${t('Public')}`,
      detail: visibilityText(false),
      options: ['--public'],
    },
  ];
  const title = t('Who can see the repository');
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.options;
}

/** Undefined if the user declined or canceled. */
function work(
  { context, trainer, log }: Services,
  name: string,
  args: readonly string[],
): Promise<Published | undefined> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: t('Publishing {0}', name),
    cancellable: true,
  };
  return Promise.resolve(
    withProgress(options, async (progress, token) => {
      let plan: PublishPlan | undefined;
      let published: Published | undefined;
      let declined = false;
      const onLine = (text: string) => {
        const line = programLine<PublishLine>(text, KINDS);
        if (line && line.kind !== 'sending') log.trace(text);
        const message = line && publishProgress(line);
        if (message !== undefined) progress.report({ message });
        if (line?.kind === 'plan') plan = line;
        if (line?.kind === 'ask') void ask(plan).then((yes) => program.send(yes ? 'yes' : 'no'));
        if (line?.kind === 'declined') declined = true;
        if (line?.kind === 'published') published = line;
      };
      // The workspace has no say in where the adapter goes and with what access.
      const env = { ...throughNetwork(), ...hubEnvironment(process.env, await storedToken(context)) };
      const program = await trainer.open([...args, '--json'], { onLine, env });
      const canceled = token.onCancellationRequested(() => program.kill('was canceled'));
      try {
        const end = await program.ended;
        if (!published && !declined) throw programError(end, 'publish');
        return published;
      } finally {
        canceled.dispose();
      }
    }),
  );
}

async function ask(plan: PublishPlan | undefined): Promise<boolean> {
  if (!plan) return false;
  const upload = t('Upload');
  return (
    (await notify.warning(publishQuestion(plan), { modal: true, detail: publishDetail(plan) }, upload)) ===
    upload
  );
}

async function tell(published: Published): Promise<void> {
  const [open, copy] = [t('Open Page'), t('Copy Name')];
  const picked = await notify.information(publishedText(published, published.repo), open, copy);
  if (picked === open) void vscode.env.openExternal(vscode.Uri.parse(published.address));
  if (picked === copy) await vscode.env.clipboard.writeText(published.repo);
}
