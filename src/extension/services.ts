import type * as vscode from 'vscode';
import type { ModelInspector } from './models/models';
import type { Panels } from './panels/panels';
import type { RunStore } from './runs/store';
import type { TrainerClient } from './launcher/client';

/** What the parts of the extension share; made once by `activate`, and cheap to make: nothing spawns or scans yet. */
export interface Services {
  context: vscode.ExtensionContext;
  log: vscode.LogOutputChannel;
  store: RunStore;
  trainer: TrainerClient;
  models: ModelInspector;
  panels: Panels;
  /** Fires when this machine was measured anew. */
  machineChecked: vscode.EventEmitter<void>;
  /** Fires with the folder of a run of which something was exported into it. */
  exported: vscode.EventEmitter<string>;
}
