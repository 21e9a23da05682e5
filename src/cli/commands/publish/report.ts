import { bytes, count, durationText } from '../../../base/number-text';
import type { Published, PublishPlan, UploadEvent } from '../../../protocol/hub/publish';
import { LOG_MS, REDRAW_MS, redraw, clearLine } from '../../bar';
import { isScreen } from '../../terminal';
import { table } from '../../table';

const WORDS = { new: '', replaced: 'replaces the file there', unchanged: 'is there already' };

/** The planned upload, and its target. */
export function planText(plan: PublishPlan): string {
  const { repo, isNew, host, base, revision, run, step, files, size, warnings } = plan;
  const visible = plan.private ? 'private' : 'public';
  const lines = [
    `The adapter of ${run} at step ${count(step)}, for ${base}${revision === undefined ? '' : `@${revision.slice(0, 7)}`}`,
    `to ${repo} on ${host}, ${isNew ? `which is created as a ${visible} repository` : `a ${visible} repository that exists`}:`,
    ...table(files.map((file) => [`  ${file.path}`, bytes(file.size), WORDS[file.change]])),
    `${bytes(size)}, to ${host} and the storage that it names.`,
    ...warnings.map((words) => `warning: ${words}`),
  ];
  return `${lines.join('\n')}\n`;
}

export const publishedText = ({ isNew, commit, address }: Published): string =>
  isNew
    ? `Published as ${address} (commit ${commit.slice(0, 7)})\n`
    : `Everything is there already: ${address} (commit ${commit.slice(0, 7)})\n`;

/** A line while files are uploaded. */
export class UploadProgress {
  private drawn = -Infinity;
  private onScreen = false;

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  show(event: UploadEvent): void {
    if (event.kind === 'retrying') {
      this.clear();
      this.out.write(`${event.reason} Trying again in ${durationText(event.seconds)}.\n`);
      return;
    }
    const now = performance.now();
    this.onScreen = isScreen(this.out);
    if (now - this.drawn < (this.onScreen ? REDRAW_MS : LOG_MS)) return;
    this.drawn = now;
    const text = `${bytes(event.done)} of ${bytes(event.total)} · ${event.path}`;
    if (this.onScreen) redraw(this.out, text);
    else this.out.write(`${text}\n`);
  }

  clear(): void {
    if (this.onScreen) clearLine(this.out);
    this.onScreen = false;
  }
}
