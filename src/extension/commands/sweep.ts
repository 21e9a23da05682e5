import * as vscode from 'vscode';
import { registerGuarded } from '../ask/guard';
import { explaining } from '../ask/training-problems';
import { COMMAND } from '../ids';
import type { ResumeOptions } from '../launcher/client';
import type { Services } from '../services';

/** Sweeps run in `aurora sweep`, as runs do in `aurora train`: in a separate process, found again by its folder. */
export const registerSweeps = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    registerGuarded(services.log, COMMAND.runSweep, async (argument, options) => {
      const { runSweep } = await import('./run-sweep');
      await explaining(() => runSweep(services, argument, isOptions(options) ? options : {}));
    }),
    registerGuarded(services.log, COMMAND.stopSweep, async (argument) => {
      const { stopSweep } = await import('./run-sweep');
      await explaining(() => stopSweep(services, argument));
    }),
  );

/** VS Code's menus pass the other selected rows in this position. */
const isOptions = (value: unknown): value is ResumeOptions =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
