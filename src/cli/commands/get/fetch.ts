import { AuroraError } from '../../../base/errors';
import { escapeControls } from '../../../base/escape';
import { bytes, count, progressPercent } from '../../../base/number-text';
import { someNames } from '../../../base/text';
import type { Hub } from '../../../hub/hub-client';
import { bytesLeft, download, requireSpace } from '../../../hub/download/download';
import type { DownloadEvent, FoundRepo, GotReference, HubLine } from '../../../protocol/hub';
import { downloadedText, downloadParts, downloadText } from '../../../protocol/reports/hub-report';
import { bar, clearLine, LOG_MS, redraw, REDRAW_MS } from '../../bar';
import type { ParsedArgs } from '../../command';
import { isScreen, write } from '../../output';
import { textAtTerminal } from '../../owning';
import { terminalText } from '../../report-text';
import { table } from '../../table';
import type { Plan } from './download-plan';

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
  return mayDownload(args);
}

/**
 * Asks before a download, unless `--yes` has answered.
 *
 * @throws AuroraError 'usage' if nobody can be asked
 */
export async function mayDownload(args: ParsedArgs): Promise<boolean> {
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

/** A line while files are downloaded, as in ReadingProgress: bytes, and the time that is left at the present speed. */
class DownloadProgress {
  /** The time when the first byte of this process was counted, and the number of bytes that were there before. */
  private began = performance.now();
  private before = 0;
  private drawn = -Infinity;
  private onScreen = false;

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  show(event: DownloadEvent): void {
    if (event.kind === 'started') {
      this.began = performance.now();
      this.before = event.done;
    } else if (event.kind === 'progress') this.draw(event);
    else if (event.kind === 'waiting' || event.kind === 'retrying') this.say(downloadText(event)!);
  }

  clear(): void {
    if (this.onScreen) clearLine(this.out);
    this.onScreen = false;
  }

  private draw({ path, done, total }: { path: string; done: number; total: number }): void {
    const now = performance.now();
    if (now - this.drawn < (isScreen(this.out) ? REDRAW_MS : LOG_MS)) return;
    this.drawn = now;
    const share = total > 0 ? done / total : 1;
    const speed = (done - this.before) / (now - this.began);
    const parts = [
      isScreen(this.out) ? bar(share) : progressPercent(share, 1),
      downloadedText(done, total, speed),
      escapeControls(path),
    ];
    this.onScreen = isScreen(this.out);
    if (this.onScreen) redraw(this.out, parts.join(' · '));
    else this.out.write(`${parts.join(' · ')}\n`);
  }

  private say(text: string): void {
    this.clear();
    this.out.write(`${escapeControls(text)}\n`);
  }
}

/** Labels that are named before the rest is counted. */
const NAMED = 12;

/** The lines of an experiment that uses it. */
export function gotText(got: readonly GotReference[]): string {
  const lines = got.flatMap(({ reference, split, columns = [] }) => [
    split === undefined ? reference : `${split}: ${reference}`,
    ...columns.map(
      ({ name, labels }) =>
        `  ${name}${labels === undefined ? '' : `: ${count(labels.length)} labels, ${someNames(labels, NAMED)}`}`,
    ),
  ]);
  return `${lines.map((line) => escapeControls(line)).join('\n')}\n`;
}

export function foundText(repos: readonly FoundRepo[]): string {
  const rows = repos.map(({ id, task, licence, downloads, size, changed, gated }) => [
    id,
    task ?? '',
    licence ?? '',
    size === undefined ? '' : bytes(size),
    count(downloads),
    changed?.slice(0, 10) ?? '',
    gated ? 'gated' : '',
  ]);
  return `${table([['name', 'task', 'license', 'size', 'downloads', 'changed', ''], ...rows], '   ').join('\n')}\n`;
}
