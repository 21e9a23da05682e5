import { escapeControls } from '../../../base/escape';
import { progressPercent } from '../../../base/number-text';
import type { DownloadEvent } from '../../../protocol/hub';
import { downloadedText, downloadText } from '../../../protocol/reports/hub-report';
import { bar, LOG_MS, REDRAW_MS, redraw, clearLine } from '../../bar';
import { isScreen } from '../../terminal';

/** A line while files are downloaded, as in ReadingProgress: bytes, and the time that is left at the present speed. */
export class DownloadProgress {
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
