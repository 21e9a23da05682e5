import type * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import type { GpuEvent, GpuPart, GpuState } from '../../protocol/gpu-support';
import { programError } from '../launcher/program-error';
import type { Services } from '../services';
import { throughNetwork } from '../launcher/network';
import { parseGpuEvent } from '../words/gpu-text';

/** Half a gigabyte over a slow line. A stalled download ends much sooner. */
const LONGEST_MS = 3 * 3600_000;

type Options = Parameters<Services['trainer']['program']>[1];

/** `aurora gpu …` on the extension's storage. It executes nothing from the workspace, so it needs no trust. */
async function run({ context, trainer }: Services, args: string[], options: Options = {}): Promise<string> {
  const storage = context.globalStorageUri.fsPath;
  const all = ['gpu', ...args, '--storage', storage, '--json'];
  const result = await trainer.program(all, { untrusted: true, ...options });
  if (result.code !== 0) throw programError(result, 'gpu');
  return result.stdout;
}

/** The parts available for this machine. Also cleans up after a killed install. */
export async function gpuStates(services: Services): Promise<GpuState[]> {
  return (JSON.parse(await run(services, ['list'])) as { parts: GpuState[] }).parts;
}

export type GpuResult = Extract<GpuEvent, { kind: 'result' }>;

export async function installGpu(
  services: Services,
  part: GpuPart,
  tell: (event: GpuEvent) => void,
  token: vscode.CancellationToken,
): Promise<GpuResult> {
  let result: GpuResult | undefined;
  await run(services, ['install', part], {
    token,
    timeout: LONGEST_MS,
    env: throughNetwork(),
    onLine(line) {
      services.log.trace(line);
      const event = parseGpuEvent(line);
      if (event?.kind === 'result') result = event;
      else if (event) tell(event);
    },
  });
  if (!result)
    throw new AuroraError(
      'failed',
      t('The installer ended without a result.'),
      t('Run the installation again.'),
    );
  return result;
}

export async function removeGpu(services: Services, part: GpuPart): Promise<void> {
  await run(services, ['remove', part]);
}
