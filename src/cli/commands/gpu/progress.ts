import { GPU_PARTS, type GpuEvent, type GpuStep } from '../../../protocol/gpu-support';
import { bytes, progressPercent } from '../../../base/number-text';
import { clearLine, redraw } from '../../bar';
import { sayError } from '../../quiet';
import { isScreen } from '../../terminal';

const WORDS: Record<GpuStep, string> = {
  checking: 'Checking the platform and existing files…',
  copying: 'Copying bundled files…',
  downloading: 'Downloading…',
  unpacking: 'Unpacking…',
  verifying: 'Loading it and multiplying two matrices…',
};

/** Shows an install in a terminal; in a log, only its steps and its end. */
export class GpuProgress {
  private onScreen = false;

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  tell(event: GpuEvent): void {
    if (event.kind === 'step') this.line(WORDS[event.step]);
    else if (event.kind === 'progress') this.draw(event);
    else {
      const { part, usable, problem, hint, already, unpinned } = event;
      const { title } = GPU_PARTS[part];
      if (unpinned)
        this.line(
          `No publisher states a hash of ${unpinned.join(' and ')}: it was recorded, to be compared at later installs.`,
        );
      if (!usable) {
        this.end();
        sayError(`${problem}\n${hint}\n`);
      } else this.line(`${title} is ${already ? 'already ' : ''}installed and usable.`);
    }
  }

  end(): void {
    if (this.onScreen) clearLine(this.out);
    this.onScreen = false;
  }

  private draw({ file, received, total }: Extract<GpuEvent, { kind: 'progress' }>): void {
    if (!isScreen(this.out)) return;
    const of = total === undefined ? '' : ` of ${bytes(total)} (${progressPercent(received, total)})`;
    redraw(this.out, `  ${file}: ${bytes(received)}${of}`);
    this.onScreen = true;
  }

  private line(text: string): void {
    this.end();
    this.out.write(`${text}\n`);
  }
}
