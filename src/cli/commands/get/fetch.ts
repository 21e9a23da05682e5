import { AuroraError } from '../../../base/errors';
import { bytesLeft, download, requireSpace } from '../../../hub/download/download';
import type { Hub } from '../../../hub/client';
import type { GotReference, HubLine } from '../../../protocol/hub';
import { downloadParts } from '../../../protocol/reports/hub-report';
import type { ParsedArgs } from '../../command';
import { textAtTerminal } from '../../ask';
import { terminalText } from '../../report-text';
import { write } from '../../write';
import type { Plan } from './plan';
import { DownloadProgress } from './progress';

/** The options of every command that downloads from the hub. */
export const FETCH_OPTIONS = {
  yes: { type: 'boolean', short: 'y' },
  show: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export const FETCH_HELP = `\
  --yes              download without asking
  --show             show what would be downloaded, and stop
  --json             JSON lines instead, for programs; never asks
`;

/**
 * Shows the planned downloads, asks, and downloads.
 *
 * @returns the references in the cache now; undefined if it was only to be shown, or nobody agreed
 * @throws AuroraError 'usage' if nobody can be asked
 */
export async function fetchPlans(
  hub: Hub,
  plans: readonly Plan[],
  args: ParsedArgs,
): Promise<GotReference[] | undefined> {
  const json = args.flag('json');
  for (const { shown } of plans)
    if (json) await writeLine(shown);
    else process.stderr.write(terminalText(downloadParts(shown)));
  if (args.flag('show')) return undefined;
  const lacking = plans.filter(({ missing }) => missing.length > 0);
  if (lacking.length > 0 && !(await isAgreed(plans, args))) return undefined;
  let left = 0;
  for (const { info, paths } of lacking) left += await bytesLeft(hub, info, paths);
  requireSpace(hub.settings.cache, left);
  for (const { info, paths } of lacking) await downloadShown(hub, info, paths, json);
  return (await Promise.all(plans.map((plan) => plan.got()))).flat();
}

async function isAgreed(plans: readonly Plan[], args: ParsedArgs): Promise<boolean> {
  refuseUnusable(plans, args);
  if (args.flag('yes')) return true;
  const answer = args.flag('json') ? undefined : await textAtTerminal('Download? [y/N]');
  if (answer !== undefined) return /^y(es)?$/i.test(answer);
  throw new AuroraError(
    'usage',
    'Nothing was downloaded, because nobody can be asked here.',
    'Add --yes to download without asking.',
  );
}

/** A model that cannot be used is not worth its gigabytes. */
function refuseUnusable(plans: readonly Plan[], args: ParsedArgs): void {
  for (const { shown } of plans)
    if (shown.kind === 'model' && shown.verdict.usable === false && !args.flag('yes'))
      throw new AuroraError(
        'model',
        shown.verdict.problem,
        shown.verdict.hint ?? 'Add --yes to download it anyway.',
      );
}

async function downloadShown(
  hub: Hub,
  info: Plan['info'],
  paths: readonly string[],
  json: boolean,
): Promise<void> {
  const progress = new DownloadProgress();
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    await download(hub, info, paths, {
      signal: stop.signal,
      tell: (event) => (json ? void writeLine(event) : progress.show(event)),
    });
  } finally {
    progress.clear();
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}

export const writeLine = (line: HubLine): Promise<void> => write(`${JSON.stringify(line)}\n`);
