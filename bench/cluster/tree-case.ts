import { appendFileSync, readFileSync, utimesSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Catalog } from '../../src/extension/runs/catalog';
import type { ExperimentEntry, RunEntry } from '../../src/extension/runs/store';
import type { Services } from '../../src/extension/services';
import { ExperimentsTree } from '../../src/extension/tree/experiments';
import { Folding } from '../../src/extension/tree/folding';
import type { ViewOptions } from '../../src/extension/tree/view-options';
import { experimentName, runPaths } from '../../src/runs/layout';
import type { TreeNode } from '../../src/extension/runs/nodes';
import { timed } from './timed';
import { EventEmitter } from './vscode';

const MEMORY = {
  get: (_key: string, value?: unknown) => value as never,
  update: () => Promise.resolve(),
  keys: () => [],
};

/**
 * The Experiments view with every row open: all runs read and shown, more of them, a scan of unchanged folders, and one run
 * that changes.
 * Without what the editor itself takes for rows.
 */
export async function treeCase({
  folder,
  file,
}: {
  folder: string;
  file: string;
}): Promise<Record<string, number>> {
  const catalog = new Catalog();
  catalog.setPlaces([file], [folder]);
  const changed = new EventEmitter<readonly RunEntry[] | undefined>();
  const experiments = (): Promise<ExperimentEntry[]> =>
    Promise.resolve(
      catalog.experiments().map((e) => ({ ...e, name: experimentName(e.file), workspaceFolder: undefined })),
    );
  const store = {
    experiments,
    firstExperiments: experiments,
    run: (path: string) => catalog.run(path),
    onDidChange: changed.event,
  };
  const queue = { items: [], onDidChange: new EventEmitter<void>().event, heldBecause: () => undefined };
  const services = {
    ...{ store, queue, context: { workspaceState: MEMORY } },
    partsChanged: new EventEmitter<string>(),
  } as unknown as Services;
  const options = { filter: '', sort: 'newest', onDidChange: new EventEmitter<void>().event };
  const tree = new ExperimentsTree(services, options as unknown as ViewOptions, new Folding(MEMORY));
  let redrawn = (): void => undefined;
  tree.onDidChangeTreeData(() => redrawn());

  const first = await timed(() => catalog.look());
  const shown = await timed(() => showAll(tree));
  const more = await timed(async () => {
    const row = shown.value.find((node) => node.kind === 'more');
    if (row) tree.showMore(row);
    await showAll(tree);
  });
  const again = await timed(() => catalog.look());
  const [run] = catalog.experiments()[0].runs;
  const { events } = runPaths(run.folder);
  const seq = readFileSync(events, 'utf8').trimEnd().split('\n').length;
  const line = { v: 1, seq, t: Date.now(), w: 'x', kind: 'evaluation', step: 1000, epoch: 10 };
  appendFileSync(
    events,
    `${JSON.stringify({ ...line, metrics: { loss: 0, accuracy: (seq % 100) / 100, examples: 1000 }, best: true, seconds: 1 })}\n`,
  );
  utimesSync(run.folder, new Date(), new Date());
  const change = await timed(async () => {
    const { runs } = await catalog.look();
    const drawn = new Promise<void>((done) => (redrawn = done));
    changed.fire(runs);
    await drawn;
  });
  return {
    ...{ first: first.ms, shown: shown.ms, more: more.ms, again: again.ms, change: change.ms },
    ...{ firstBlocked: first.blocked, shownBlocked: shown.blocked, moreBlocked: more.blocked },
    ...{ againBlocked: again.blocked, changeBlocked: change.blocked },
  };
}

async function showAll(tree: ExperimentsTree): Promise<TreeNode[]> {
  const rows: TreeNode[] = [];
  const show = async (node?: Parameters<typeof tree.getTreeItem>[0]): Promise<void> => {
    if (node?.kind === 'run') return;
    // The editor asks for what is below each row in another message, and lets other work pass in between.
    await nextTurn();
    const children = await tree.getChildren(node);
    for (const child of children) tree.getTreeItem(child);
    rows.push(...children);
    for (const child of children) await show(child);
  };
  await show();
  return rows;
}
