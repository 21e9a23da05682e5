import { bytes } from '../../base/number-text';
import { t } from '../../base/l10n';
import { engineWords } from '../../protocol/device-words';
import {
  GPU_PARTS,
  type GpuCheck,
  type GpuEvent,
  type GpuPart,
  type GpuState,
  type GpuStep,
} from '../../protocol/gpu-support';
import { programLine } from '../../executors/local/program';

/** A part as a quick pick item. */
export interface GpuChoice {
  part: GpuPart;
  label: string;
  description: string;
  detail: string;
}

/** A row truncates long text, so the license comes early; the package's name is in the README. */
export function gpuChoice(state: GpuState): GpuChoice {
  const { title, place, needs, license } = GPU_PARTS[state.part];
  return {
    part: state.part,
    label: title,
    description: t('{0} · needs {1}', description(state), needs),
    detail: t('The device "{0}" of {1}. {2}.', place.device, engineWords(place.engine), license),
  };
}

function description({ version, installed }: GpuState): string {
  if (!installed) return version;
  if (installed.version !== version)
    return t('{0} is installed, this version needs {1}', installed.version, version);
  return installed.usable
    ? t('{0}, installed and usable', version)
    : t('{0}, installed but not usable', version);
}

/** The text of a progress notification, and the progress since the last update. */
export class GpuProgressText {
  private file: string | undefined;
  private share = 0;

  /** `increment` in percent of the current file; the next file starts again, which a bar cannot show. */
  next(event: GpuEvent): { message?: string; increment?: number } {
    if (event.kind === 'step') return { message: this.step(event.step) };
    if (event.kind === 'result') return {};
    const { file, received, total } = event;
    const done = bytes(received);
    if (total === undefined) return { message: t('{0}: {1}', file, done) };
    const first = this.file === undefined || this.file === file;
    this.file ??= file;
    const share = (100 * received) / total;
    const increment = first ? Math.max(0, share - this.share) : 0;
    if (first) this.share = share;
    return { message: t('{0}: {1} of {2}', file, done, bytes(total)), increment };
  }

  private step(step: GpuStep): string {
    switch (step) {
      case 'checking':
        return t('Checking this platform…');
      case 'copying':
        return t('Copying the bundled files…');
      case 'downloading':
        return t('Downloading…');
      case 'unpacking':
        return t('Unpacking…');
      case 'verifying':
        return t('Loading it and multiplying two matrices…');
    }
  }
}

/** A line of `aurora gpu install --json`. */
export const parseGpuEvent = (line: string): GpuEvent | undefined =>
  programLine(line, ['step', 'progress', 'result']);

/** The final message. */
export function gpuResult(part: GpuPart, check: GpuCheck): string {
  const { title, place } = GPU_PARTS[part];
  if (!check.usable) return `${check.problem ?? ''} ${check.hint ?? ''}`.trim();
  return t('{0} is installed and ready to use as the device "{1}".', title, place.device);
}
