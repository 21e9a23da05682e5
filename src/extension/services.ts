import type * as vscode from 'vscode';
import type { ModelInspector } from './models/known-model';
import type { RunQueue } from './queue/run-queue';
import type { Panels } from './panels/panels';
import type { RunStore } from './runs/store';
import type { TrainerClient } from './launcher/client';

/**
 * The services that the parts of the extension share. Created once by `activate`, and cheap: nothing spawns or scans
 * yet.
 */
export interface Services {
  context: vscode.ExtensionContext;
  log: vscode.LogOutputChannel;
  store: RunStore;
  trainer: TrainerClient;
  /** Runs that wait for others to end. */
  queue: RunQueue;
  models: ModelInspector;
  panels: Panels;
  /** Fires when this machine was measured again. */
  machineChecked: vscode.EventEmitter<void>;
  /** Fires with the folder of a run whose exports or checkpoints have changed otherwise than by training. */
  partsChanged: vscode.EventEmitter<string>;
}
