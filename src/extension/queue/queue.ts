import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { registerGuarded } from '../ask/guard';
import { explaining } from '../ask/training-problems';
import { COMMAND, CONTEXT } from '../ids';
import { messageOf } from '../ask/message-of';
import { isTreeNode, rowsFor } from '../runs/nodes';
import type { Services } from '../services';
import { inProgress, isIdle, whileStarting } from './in-progress';
import { RunQueue, type QueuedRun } from './run-queue';
import { QueueStarter } from './starter';
import { notify } from '../messages/notify';
import type { Contributes } from '../manifest/declared';

export const contributes: Contributes = {
  commands: {
    runQueued: {
      title: 'Run Now',
      icon: 'play',
      palette: false,
      menus: [
        { at: 'row', can: 'canRunNow', group: 'inline@1' },
        { at: 'row', can: 'canRunNow', group: '1_run@1' },
      ],
    },
    removeQueued: {
      title: 'Remove from Queue',
      icon: 'close',
      palette: false,
      menus: [
        { at: 'row', can: 'canUnqueue', group: 'inline@2' },
        { at: 'row', can: 'canUnqueue', group: '5_delete@1' },
      ],
    },
    continueQueue: {
      title: 'Continue Queue',
      icon: 'debug-continue',
      palette: 'aurora.queueHeld && isWorkspaceTrusted',
      menus: [{ at: 'row', can: 'canContinueQueue', group: '1_run@2' }],
    },
  },
};

/** workspaceState. */
const QUEUE = 'queue';

export const createQueue = ({ workspaceState }: vscode.ExtensionContext): RunQueue =>
  new RunQueue({
    get: () => workspaceState.get(QUEUE),
    set: (items) => void workspaceState.update(QUEUE, items),
  });

/**
 * Starts queued runs, and their commands. Items that an earlier window queued start only after the user agrees, and
 * nothing starts in an untrusted workspace.
 */
export function registerQueue(services: Services): vscode.Disposable {
  const { store, queue, log } = services;
  const start = async (item: QueuedRun, attended: boolean): Promise<void> => {
    const { name } = item.spec;
    const begin = async () => (await import('./start-queued')).startQueued(services, item, attended);
    try {
      if (!(await explaining(() => whileStarting(name, begin)))) queue.putBack(item);
    } catch (e) {
      queue.putBack(item);
      void tellFailed(item, e as Error);
    }
  };
  const runNow = async (item: QueuedRun): Promise<void> => {
    const taken = queue.take(item.id);
    if (taken) await start(taken, true);
  };
  const tellFailed = async (item: QueuedRun, e: Error): Promise<void> => {
    const { name } = item.spec;
    // The questions of Run Now need no other hint.
    const isAsked = e instanceof AuroraError && (e.kind === 'inputs' || e.kind === 'owned');
    const why = messageOf(isAsked ? { message: e.message } : e);
    const message = t('The queued run of {0} could not be started: {1}', name, why);
    const [now, remove] = [t('Run Now'), t('Remove from Queue')];
    const picked = await notify.error(message, now, remove);
    if (picked === now) await runNow(item);
    if (picked === remove) queue.take(item.id);
  };
  const starter = new QueueStarter(queue, {
    busy: async () => !vscode.workspace.isTrusted || !isIdle(await inProgress(store)),
    start: (item) => start(item, false),
  });
  const look = () => void starter.look().catch((e: Error) => log.error(e));
  const on = (command: string, action: (item: QueuedRun) => unknown) =>
    registerGuarded(log, command, async (...args) => {
      for (const node of rowsFor(args)) {
        const item = isTreeNode(node) && node.kind === 'queued' ? queue.take(node.id) : undefined;
        if (item) await action(item);
      }
    });
  tellHeld(queue);
  offerHeld(queue);
  return vscode.Disposable.from(
    queue.onDidChange(() => {
      tellHeld(queue);
      look();
    }),
    store.onDidChange(look),
    vscode.workspace.onDidGrantWorkspaceTrust(() => offerHeld(queue)),
    on(COMMAND.runQueued, (item) => start(item, true)),
    on(COMMAND.removeQueued, () => undefined),
    registerGuarded(log, COMMAND.continueQueue, () => queue.release()),
  );
}

/** Asks about the runs of an earlier window, once. */
function offerHeld(queue: RunQueue): void {
  const held = queue.items.filter((item) => queue.heldBecause(item.id));
  if (held.length === 0 || !vscode.workspace.isTrusted) return;
  const [proceed, remove] = [t('Continue Queue'), t('Remove from Queue')];
  const names = [...new Set(held.map((item) => item.spec.name))].join(', ');
  const message =
    held.length === 1
      ? t('A run was queued when this window was last open: {0}.', names)
      : t('{0} runs were queued when this window was last open: {1}.', held.length, names);
  void notify.information(message, proceed, remove).then((answer) => {
    if (answer === proceed) queue.release();
    if (answer === remove) held.forEach((item) => queue.take(item.id));
  });
}

const tellHeld = (queue: RunQueue): void =>
  void vscode.commands.executeCommand(
    'setContext',
    CONTEXT.queueHeld,
    queue.items.some((item) => queue.heldBecause(item.id)),
  );
