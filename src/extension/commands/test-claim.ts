import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { type ClusterSettings, executorName, type ExecutorName } from '../../experiment/cluster';
import { untrusted } from '../../executors/missing-piece';
import { claimPaths } from '../../runs/claim-folder';
import { claimOf } from '../../runs/experiment/claim-trials';
import { frozenSettings } from '../../runs/experiment/frozen-settings';
import type { ValidExperiment } from '../../runs/experiment/load';
import { experimentName } from '../../runs/layout';
import type { ClaimLine } from '../../study/claim/certificate';
import type { AnnouncedCost } from '../../study/claim/claim-files';
import { claimSentence, costWords } from '../../study/claim/claim-words';
import { requireUsable } from '../ask/checked-experiment';
import { experimentFrom } from '../ask/pick';
import { agreesTo, whereToRun } from '../cluster/where-to-run';
import { savedExperiment } from '../hub/downloading';
import { programError, programLine } from '../../executors/local/program';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';
import { askedToStop } from '../notices/end-notice';
import { openReport } from '../notices/open-report';
import { startUnlessBusy } from '../queue/ask-busy';
import { startClaim } from '../queue/start-queued';
import type { ClaimEntry } from '../runs/store';
import type { Services } from '../services';
import { canContinue, claimTitle, claimWith, placeOfClaim } from '../words/claim-row';
import { runAnyway } from './training/train-experiment';

/**
 * Saves the file, asks where to test its claim if there is more than this machine, measures what that costs, asks once, and
 * tests it. A claim that has begun is continued, and of one that is closed or being tested, only the page is opened.
 */
export async function testClaim(services: Services, argument: unknown): Promise<void> {
  const file = await experimentFrom(services, argument, t('Select an experiment to test its claim'));
  if (file === undefined) return;
  if (!vscode.workspace.isTrusted) throw untrusted();
  const checked = await savedExperiment(services, file);
  if (!checked) return;
  const valid = await requireUsable(checked);
  const planned = claimOf(valid);
  const { claims = [] } = (await services.store.experiments()).find((e) => e.file === file) ?? {};
  const begun = claimWith(claims, frozenSettings(planned));
  if (begun && canContinue(begun)) return continueClaim(services, begun);
  if (begun) return services.panels.openClaim(begun.folder);
  const on = await agreedPlace(services, file, valid.cluster);
  if (on === undefined || !(await runAnyway(services, checked, on === 'local'))) return;
  const announced = await announce(services, file, on);
  if (!announced) return;
  const open = claims.filter((entry) => entry.state !== 'closed' && entry.state !== 'damaged');
  const sentence = claimSentence(planned.claim, planned.specs);
  if (!(await agrees(sentence, announced.cost, on, open))) return;
  const { folder, cost } = announced;
  await start(services, valid, { folder, seconds: cost.runs.map(({ seconds }) => seconds) }, on);
}

/** Continues a claim that is neither closed nor being tested, where it began. */
export async function continueClaim(services: Services, claim: ClaimEntry): Promise<void> {
  const { folder, experiment: file } = claim;
  if (!vscode.workspace.isTrusted) throw untrusted();
  const checked = await savedExperiment(services, file);
  if (!checked) return;
  const valid = await requireUsable(checked);
  const { sweeps = [] } = (await services.store.experiments()).find((e) => e.file === file) ?? {};
  const on = await agreedPlace(services, file, valid.cluster, placeOfClaim(claim, sweeps));
  if (on !== undefined) await start(services, valid, { folder }, on);
}

/**
 * The place to test a claim at, with the user's consent to what the experiment runs there; undefined if the user canceled.
 *
 * @param begun the place where it began
 */
async function agreedPlace(
  services: Services,
  file: string,
  cluster: ClusterSettings | undefined,
  begun?: ExecutorName,
): Promise<ExecutorName | undefined> {
  const title = t('Test the claim of {0}', experimentName(file));
  const on = begun ?? (await whereToRun(cluster, title, false));
  return on === undefined || on === 'local' || (await agreesTo(services, file, on, cluster)) ? on : undefined;
}

async function start(
  services: Services,
  { doc, experiment }: ValidExperiment,
  claim: { folder: string; seconds?: readonly number[] },
  on: ExecutorName,
): Promise<void> {
  const wanted = { kind: 'claim' as const, file: doc.file, ...claim, spec: experiment };
  const begin = () => startClaim(services, doc.file, claim, {}, on);
  // A cluster's trials leave this machine to others.
  const started = on === 'local' ? await startUnlessBusy(services, wanted, begin) : await begin();
  if (started) services.panels.openClaim(claim.folder);
}

/** The folder that the claim will have, and its cost; undefined if the user canceled. */
async function announce(
  { trainer }: Services,
  file: string,
  on: ExecutorName,
): Promise<{ folder: string; cost: AnnouncedCost } | undefined> {
  const name = experimentName(file);
  const title =
    on === 'local'
      ? t('Measuring a few steps of each method of {0}', name)
      : t('Reading the model and the data of {0}', name);
  const location = vscode.ProgressLocation.Notification;
  return withProgress({ location, title, cancellable: true }, async (_, token) => {
    const lines: ClaimLine[] = [];
    const onLine = (text: string) => {
      const line = programLine<ClaimLine>(text, ['frozen', 'cost']);
      if (line) lines.push(line);
    };
    const result = await trainer.dryClaim(file, on, { token, onLine }).catch((e: unknown) => {
      if (token.isCancellationRequested) return undefined;
      throw e;
    });
    if (!result || token.isCancellationRequested) return undefined;
    const frozen = lines.find((line) => line.kind === 'frozen');
    const cost = lines.find((line) => line.kind === 'cost');
    if (result.code !== 0 || !frozen || !cost) throw programError(result, 'claim');
    return { folder: frozen.folder, cost };
  });
}

/** Asks once, with everything that is fixed from then on. */
async function agrees(
  sentence: string,
  cost: AnnouncedCost,
  on: ExecutorName,
  open: readonly ClaimEntry[],
): Promise<boolean> {
  const detail = [
    sentence,
    ...costWords(cost),
    ...(on === 'local' ? [] : [t('Its trials run on {0}.', executorName(on))]),
    t(
      'From now on, the claim, the settings, the model and the data are fixed: changing any of them makes another claim.',
    ),
    ...open.map((other) => t('Another claim of this experiment is not closed: {0}', claimTitle(other))),
  ].join('\n\n');
  const test = t('Test Claim');
  return (await notify.information(t('Test this claim?'), { modal: true, detail }, test)) === test;
}

/** Stops a claim: its trials finish the current step and save. On a cluster, they may wait without a process that follows. */
export async function stopClaim(
  { store, trainer, panels }: Services,
  { folder, experiment, state }: ClaimEntry,
): Promise<void> {
  askedToStop.add(folder);
  try {
    const name = experimentName(experiment);
    const title = t('Stopping the claim of {0}: its trials finish the current step and save', name);
    await withProgress({ location: vscode.ProgressLocation.Window, title }, async () => {
      if (state === 'running') await trainer.stop(folder);
      else await trainer.cancelClaim(experiment, folder);
    });
    await store.refresh();
    const after = (await store.experiments()).flatMap((e) => e.claims).find((c) => c.folder === folder);
    const open = t('Open Claim');
    const message =
      after?.state === 'closed'
        ? t('The claim of {0} was closed before it could be stopped.', name)
        : t(
            'The claim of {0} was stopped, and everything is saved. Use Continue Claim to continue it.',
            name,
          );
    void notify.information(message, open).then((picked) => {
      if (picked === open) panels.openClaim(folder);
    });
  } finally {
    askedToStop.delete(folder);
  }
}

export const openCertificate = ({ folder }: Pick<ClaimEntry, 'folder'>): Promise<void> =>
  openReport(vscode.Uri.file(claimPaths(folder).page));
