import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { GPU_PARTS, type GpuEvent, type GpuPart, type GpuState } from '../../protocol/gpu-support';
import { starting } from '../ask/starting';
import { COMMAND } from '../ids';
import { throughNetwork } from '../launcher/network';
import { programError } from '../../executors/local/program';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';
import type { Services } from '../services';
import { gpuChoice, GpuProgressText, gpuResult, parseGpuEvent } from '../words/gpu-text';
import { tellContext } from './gpu-commands';

/** Asks for the part if none is given. Undefined if nothing was installed. */
export async function install(
  services: Services,
  given: GpuPart | undefined,
): Promise<GpuResult | undefined> {
  const part = given ?? (await chosen(services));
  if (!part) return undefined;
  const result = await installing(services, part);
  await tellContext(services);
  if (result) void announce(part, result);
  return result;
}

async function chosen(services: Services): Promise<GpuPart | undefined> {
  const states = (await listed(services)).filter((s) => s.fits);
  if (states.length === 0) {
    const check = t('Check This Machine');
    const message = t(
      'There is no GPU support to install on this platform. The device "webgpu" uses the GPU without it.',
    );
    void notify.information(message, check).then((picked) => {
      if (picked === check) void vscode.commands.executeCommand(COMMAND.checkMachine);
    });
    return undefined;
  }
  return pick(states, t('Install NVIDIA GPU support (not needed for the device "webgpu")'));
}

const listed = (services: Services) => starting(t('Checking GPU support'), () => gpuStates(services));

async function pick(states: readonly GpuState[], title: string): Promise<GpuPart | undefined> {
  const items = states.map((state) => gpuChoice(state));
  const options = { title, placeHolder: t('Select a component'), matchOnDetail: true, ignoreFocusOut: true };
  return (await vscode.window.showQuickPick(items, options))?.part;
}

/** Undefined if the user canceled; nothing is left behind. */
async function installing(services: Services, part: GpuPart): Promise<GpuResult | undefined> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: t('Installing {0}', GPU_PARTS[part].title),
    cancellable: true,
  };
  const text = new GpuProgressText();
  try {
    return await withProgress(options, (progress, token) =>
      installGpu(services, part, (event) => progress.report(text.next(event)), token),
    );
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    // If it had to be killed, it could not clean up.
    if (e.kind === 'stopped') await gpuStates(services);
    else failed(part, e);
    return undefined;
  }
}

function failed(part: GpuPart, { message, hint }: AuroraError): void {
  const again = t('Try Again');
  void notify.error([message, hint].join(' ').trim(), again).then((picked) => {
    if (picked === again) void vscode.commands.executeCommand(COMMAND.installGpuSupport, part);
  });
}

async function announce(part: GpuPart, result: GpuResult): Promise<void> {
  const message = gpuResult(part, result);
  if (!result.usable) {
    const check = t('Check This Machine');
    if ((await notify.warning(message, check)) === check)
      await vscode.commands.executeCommand(COMMAND.checkMachine);
    return;
  }
  const choose = t('Choose Device');
  if ((await notify.information(message, choose)) === choose)
    await vscode.commands.executeCommand(
      'workbench.action.openSettings',
      '@id:aurora.engine @id:aurora.device',
    );
}

/** Asks for the part if none is given and several are installed. */
export async function remove(services: Services, given: GpuPart | undefined): Promise<void> {
  const states = (await listed(services)).filter((s) => s.installed);
  if (states.length === 0)
    throw new AuroraError('device', t('No GPU support is installed.'), t('There is nothing to remove.'));
  const only = states.length === 1 ? states[0].part : undefined;
  const part = given ?? only ?? (await pick(states, t('Select a component to remove')));
  if (!part) return;
  const { title, place } = GPU_PARTS[part];
  const yes = t('Remove');
  const question = t('Remove {0}?', title);
  const detail = t('The device "{0}" needs it for training. You can install it again later.', place.device);
  if ((await notify.warning(question, { modal: true, detail }, yes)) !== yes) return;
  await starting(t('Removing {0}', title), () => removeGpu(services, part));
  await tellContext(services);
  void notify.information(t('{0} was removed.', title));
}

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
async function gpuStates(services: Services): Promise<GpuState[]> {
  return (JSON.parse(await run(services, ['list'])) as { parts: GpuState[] }).parts;
}

type GpuResult = Extract<GpuEvent, { kind: 'result' }>;

async function installGpu(
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

async function removeGpu(services: Services, part: GpuPart): Promise<void> {
  await run(services, ['remove', part]);
}
