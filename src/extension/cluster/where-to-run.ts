import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { type ClusterSettings, executorName, type ExecutorName } from '../../experiment/cluster';
import { experimentName } from '../../runs/layout';
import { clusterSetting } from '../launcher/settings';
import { notify } from '../messages/notify';
import type { Services } from '../services';
import { hasSlurmHere, isConfigured, type Place, placesOf } from './places';

interface PlaceItem extends vscode.QuickPickItem {
  place: Place;
}

/**
 * Asks where a new sweep or claim runs, if there is more than this machine.
 *
 * @param cluster the experiment's section
 * @param title of the list
 * @param always also if there is not: then the others are listed with how to configure them
 * @returns undefined if the user canceled, or asked for that
 */
export async function whereToRun(
  cluster: ClusterSettings | undefined,
  title: string,
  always: boolean,
): Promise<ExecutorName | undefined> {
  const places = placesOf(cluster, clusterSetting(), await hasSlurmHere());
  const offered = always ? places : places.filter(isConfigured);
  if (offered.length === 1) return 'local';
  const picked = await vscode.window.showQuickPick(offered.map(item), {
    title,
    placeHolder: t('Select where to run it'),
    ignoreFocusOut: true,
  });
  if (!picked) return undefined;
  if (isConfigured(picked.place)) return picked.place.on;
  await explain(picked.place.on);
  return undefined;
}

function item(place: Place): PlaceItem {
  if (place.on === 'local')
    return {
      label: `$(device-desktop) ${t('This machine')}`,
      detail: t('As many trials at a time as memory and cores allow'),
      place,
    };
  const { on, cluster } = place;
  const label = `$(server-environment) ${executorName(on)}`;
  if (!cluster)
    return { label, description: t('not configured'), detail: t('Shows how to configure it'), place };
  return {
    label,
    description: cluster.place || (on === 'slurm' ? t('on this machine') : t('current context')),
    detail: {
      experiment: t("As in the experiment's cluster section"),
      setting: t('As in the setting aurora.cluster'),
      path: t("Its commands are on this machine's PATH"),
    }[cluster.from],
    place,
  };
}

async function explain(on: ExecutorName): Promise<void> {
  const settings = t('Open Settings');
  const message =
    on === 'slurm'
      ? t('No Slurm is configured: sbatch is not on the PATH of this machine.')
      : t('No Kubernetes cluster is configured.');
  const detail =
    on === 'slurm'
      ? t(
          'Add a "cluster" section with "slurm" to the experiment, or the same to the setting aurora.cluster: { "slurm": { "host": "login.example.org", "partition": "gpu" } }. The host is what you type after ssh; you log in to it with a key.',
        )
      : t(
          'Add a "cluster" section with "kubernetes" to the experiment, or the same to the setting aurora.cluster: { "kubernetes": { "image": "…", "claim": "…" } }. `aurora sweep FILE --on kubernetes --write FOLDER` writes the Dockerfile of the image.',
        );
  const picked = await notify.information(message, { modal: true, detail }, settings);
  if (picked === settings)
    await vscode.commands.executeCommand('workbench.action.openSettings', 'aurora.cluster');
}

/** workspaceState: by experiment file, the section that the user has agreed to. */
const AGREED = 'cluster.agreed';

/**
 * Before an experiment file decides about commands on a cluster, the user sees it: the file may be somebody else's, and
 * its lines of shell run with the user's own account. Asked again whenever it has changed. The user's own settings are
 * not asked about.
 *
 * @returns false if the user declined
 */
export async function agreesTo(
  { context }: Pick<Services, 'context'>,
  file: string,
  on: 'slurm' | 'kubernetes',
  section: ClusterSettings | undefined,
): Promise<boolean> {
  const lines = sectionLines(section?.[on]);
  if (lines.length === 0) return true;
  const { workspaceState } = context;
  const agreed = workspaceState.get<Record<string, string>>(AGREED, {});
  const key = `${on}:${file}`;
  const text = lines.join('\n');
  if (Object.hasOwn(agreed, key) && agreed[key] === text) return true;
  const run = t('Run on {0}', executorName(on));
  const picked = await notify.warning(
    t('Run on {0} with these settings of the experiment {1}?', executorName(on), experimentName(file)),
    { modal: true, detail: text },
    run,
  );
  if (picked !== run) return false;
  await workspaceState.update(AGREED, { ...agreed, [key]: text });
  return true;
}

/** A line for each setting; those of a list below each other. */
function sectionLines(section: object = {}): string[] {
  return Object.entries(section).flatMap(([key, value]: [string, unknown]) =>
    Array.isArray(value) && value.every((v) => typeof v === 'string')
      ? [`${key}:`, ...value.map((v) => `    ${v}`)]
      : [`${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`],
  );
}
