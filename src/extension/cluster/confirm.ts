import { t } from '../../base/l10n';
import { executorName, type ClusterSettings } from '../../experiment/cluster';
import { experimentName } from '../../runs/layout';
import type { Services } from '../services';
import { notify } from '../messages/notify';

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
