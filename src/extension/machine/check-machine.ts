import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { DoctorLine, MachineCheck } from '../../protocol/doctor';
import { machineProgress, machineReport, machineSummary } from '../../protocol/reports/machine-report';
import { markdownText } from '../../protocol/reports/markdown-text';
import { registerGuarded } from '../ask/guard';
import { explaining } from '../ask/training-problems';
import { programError, programLine } from '../../executors/local/program';
import { openReport } from '../notices/open-report';
import { COMMAND } from '../ids';
import type { Services } from '../services';
import { isActiveHere } from '../runs/shown-state';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';
import type { Contributes } from '../manifest/declared';

export const contributes: Contributes = {
  commands: {
    checkMachine: {
      title: 'Check This Machine',
      icon: 'pulse',
      menus: [{ at: 'title', view: 'machine', group: 'navigation@1' }],
    },
  },
};

const SCHEME = 'aurora-machine';
const KEY = 'machineCheck';
const PAGE = vscode.Uri.from({ scheme: SCHEME, path: '/This machine.md' });

/** The command that measures the devices of this machine; the last result is kept for the Machine view. */
export function registerCheckMachine(services: Services): vscode.Disposable {
  const { context, log, trainer } = services;
  const changed = new vscode.EventEmitter<vscode.Uri>();
  let going = false;
  const check = async () => {
    if (going) return;
    going = true;
    try {
      if (!(await whileTraining(services))) return;
      const report = await measure(trainer);
      if (!report) return;
      await context.globalState.update(KEY, report);
      services.machineChecked.fire();
      changed.fire(PAGE);
      await tell(report);
    } finally {
      going = false;
    }
  };
  return vscode.Disposable.from(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: changed.event,
      provideTextDocumentContent: () => {
        const last = lastCheck(context);
        return last ? markdownText(machineReport(last)) : t('This machine has not been checked yet.');
      },
    }),
    registerGuarded(log, COMMAND.checkMachine, () => explaining(check)),
  );
}

export const lastCheck = (context: vscode.ExtensionContext): MachineCheck | undefined =>
  context.globalState.get<MachineCheck>(KEY);

/** Undefined if the user canceled. */
function measure(trainer: Services['trainer']): Thenable<MachineCheck | undefined> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: t('Checking this machine'),
    cancellable: true,
  };
  return withProgress(options, async (progress, token) => {
    progress.report({ message: t('Looking for devices…') });
    let report: MachineCheck | undefined;
    let last = '';
    const onLine = (text: string) => {
      const line = programLine<DoctorLine>(text, ['system', 'checking', 'place', 'report']);
      const now = line && machineProgress(line);
      if (line?.kind === 'place') last = now!;
      if (line?.kind === 'checking') {
        const message = [last, now].filter((part) => part !== '').join(' · ');
        progress.report({ message, increment: line.number > 1 ? 100 / line.of : 0 });
      }
      if (line?.kind === 'report') report = line;
    };
    try {
      const result = await trainer.program(['doctor', '--json'], { token, onLine, untrusted: true });
      if (!report) throw programError(result, 'doctor');
      return report;
    } catch (e) {
      if (token.isCancellationRequested) return undefined;
      throw e;
    }
  });
}

/** True to measure now: asks if a run is training, since each would slow the other down. */
async function whileTraining({ store }: Services): Promise<boolean> {
  const training = (await store.runs()).filter(isActiveHere).length;
  if (training === 0) return true;
  const question =
    training === 1
      ? t('A run is training on this machine.')
      : t('{0} runs are training on this machine.', training);
  const detail = t('The check would slow it down, and measure less than the devices can do.');
  const anyway = t('Check Anyway');
  return (await notify.warning(question, { modal: true, detail }, anyway)) === anyway;
}

async function tell(report: MachineCheck): Promise<void> {
  const show = t('Show Report');
  const picked = await notify.information(machineSummary(report), show);
  if (picked === show) await openReport(PAGE);
}
