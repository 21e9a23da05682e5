import { access } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { GPU_FOLDER, GPU_PART_NAMES, type GpuPart } from '../../protocol/gpu-support';
import { registerGuarded } from '../ask/guard';
import { explaining } from '../ask/training-problems';
import { COMMAND, CONTEXT } from '../ids';
import type { Contributes } from '../manifest/declared';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    installGpuSupport: {
      title: 'Install GPU Support',
      icon: 'cloud-download',
      menus: [{ at: 'title', view: 'machine', group: '1_gpu@1' }],
    },
    removeGpuSupport: {
      title: 'Remove GPU Support',
      icon: 'trash',
      palette: 'aurora.gpuSupport',
      menus: [{ at: 'title', view: 'machine', when: 'aurora.gpuSupport', group: '1_gpu@2' }],
    },
  },
};

/** Install and Remove GPU Support. Both take a part as argument, and ask for it otherwise. */
export function registerGpuSupport(services: Services): vscode.Disposable {
  void tellContext(services);
  return vscode.Disposable.from(
    registerGuarded(services.log, COMMAND.installGpuSupport, async (part) => {
      const { install } = await import('./install-gpu');
      return explaining(() => install(services, partOf(part)));
    }),
    registerGuarded(services.log, COMMAND.removeGpuSupport, async (part) => {
      const { remove } = await import('./install-gpu');
      return explaining(() => remove(services, partOf(part)));
    }),
  );
}

/** Menus may pass any argument. */
const partOf = (argument: unknown): GpuPart | undefined => GPU_PART_NAMES.find((name) => name === argument);

/** Sets the context: is there anything to remove? Checks for two files and spawns nothing. */
export async function tellContext({ context }: Services): Promise<void> {
  const gpu = join(context.globalStorageUri.fsPath, GPU_FOLDER);
  const there = await Promise.all(
    GPU_PART_NAMES.map((part) =>
      access(join(gpu, part)).then(
        () => true,
        () => false,
      ),
    ),
  );
  await vscode.commands.executeCommand('setContext', CONTEXT.gpuSupport, there.includes(true));
}
