import * as vscode from 'vscode';
import { setTranslations } from '../base/l10n';
import { registerClusterNotices } from './cluster/cluster-notices';
import { registerClaims } from './commands/claim-commands';
import { registerDemo } from './commands/demo-command';
import { registerGet } from './commands/get-commands';
import { registerPlayground } from './commands/playground-command';
import { registerRunCommands } from './commands/runs/run-commands';
import { registerCompare } from './commands/compare-command';
import { registerSweeps } from './commands/sweep-commands';
import { registerTokens } from './commands/tokens-command';
import { registerTraining } from './commands/training/training-commands';
import { registerVerify } from './commands/verify-command';
import { readDataWith } from './data-worker/ask-data-worker';
import { registerLanguage } from './language/language';
import { createModelInspector } from './models/inspector';
import { registerModelFolders } from './models/model-files';
import { registerModelReport } from './commands/model-report-command';
import { registerPreflight } from './preflight/preflight-commands';
import { registerWalkthrough } from './walkthrough/walkthrough';
import { registerWizard } from './wizard/wizard';
import { registerGpuSupport } from './gpu/gpu-commands';
import { registerCheckMachine } from './machine/check-machine';
import { createPanels } from './panels/all-panels';
import { createQueue, registerQueue } from './queue/queue';
import { createRunStore } from './runs/run-store';
import type { Services } from './services';
import { createTrainerClient } from './launcher/trainer-client';
import { registerMcpJson, registerMcpServer } from './tools/mcp-server';
import { registerTools } from './tools/tools';
import { registerTransfer } from './transfer/transfer';
import { registerExperimentsTree } from './tree/experiments-view';
import { registerMachineView } from './tree/machine-view';
import { registerModelsView } from './tree/models-view';

/** After this delay the first scan of the workspace starts, for the status bar and the palette. */
const FIRST_LOOK_MS = 500;

/** API for tests of the packaged extension. */
export type Api = Pick<Services, 'store' | 'trainer'>;

/** Wires the parts together; nothing is spawned or scanned here. */
export function activate(context: vscode.ExtensionContext): Api {
  setTranslations(vscode.l10n.bundle ?? {});
  const log = vscode.window.createOutputChannel('AuroRA', { log: true });
  const store = createRunStore(context, log);
  const trainer = createTrainerClient(context, log);
  const queue = createQueue(context);
  const models = createModelInspector(context, trainer, log);
  const machineChecked = new vscode.EventEmitter<void>();
  const partsChanged = new vscode.EventEmitter<string>();
  const services = { context, log, store, trainer, queue, models, machineChecked, partsChanged } as Services;
  services.panels = createPanels(() => services);
  context.subscriptions.push(
    log,
    trainer,
    readDataWith(async () => (await trainer.node()).path),
    machineChecked,
    partsChanged,
    services.panels,
    ...PARTS.flatMap((register) => register(services) ?? []),
    later(FIRST_LOOK_MS, () => void store.experiments().catch((e: Error) => log.error(e))),
  );
  return { store, trainer };
}

/** Each registers with VS Code; those that return nothing have added their disposables to the context. */
const PARTS: ((services: Services) => vscode.Disposable | void)[] = [
  registerExperimentsTree,
  registerModelsView,
  registerModelFolders,
  registerModelReport,
  registerMachineView,
  registerCheckMachine,
  registerRunCommands,
  registerPlayground,
  registerTraining,
  registerQueue,
  registerSweeps,
  registerClaims,
  registerClusterNotices,
  registerCompare,
  registerDemo,
  registerGet,
  registerLanguage,
  registerWizard,
  registerWalkthrough,
  registerPreflight,
  registerTokens,
  registerVerify,
  registerTransfer,
  registerTools,
  registerMcpServer,
  registerMcpJson,
  registerGpuSupport,
];

function later(ms: number, action: () => void): vscode.Disposable {
  const timer = setTimeout(action, ms);
  return { dispose: () => clearTimeout(timer) };
}
