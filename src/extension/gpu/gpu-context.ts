import { access } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { GPU_FOLDER, GPU_PART_NAMES } from '../../protocol/gpu-support';
import { CONTEXT } from '../ids';
import type { Services } from '../services';

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
