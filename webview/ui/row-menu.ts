/**
 * The context that VS Code's menu of a run's row passes to its commands (`data-vscode-context`), which take it for the row of the tree.
 * VS Code adds what the elements around it say, so `auroraSeveral` is always there: the active row's must not stand in for it.
 *
 * @param can what can be done with the run, as in the tree
 * @param several whether it is one of several selected rows
 */
export const rowMenu = (folder: string, can: string, several: boolean): string =>
  JSON.stringify({
    webviewSection: 'auroraRun',
    auroraCan: can,
    kind: 'run',
    folder,
    auroraSeveral: several,
    preventDefaultContextMenuItems: true,
  });

/** The context of a sweep's trial that is on a cluster and has no run yet. `folder` is the sweep's. */
export const trialMenu = (folder: string, trial: string, can: string): string =>
  JSON.stringify({
    webviewSection: 'auroraRun',
    auroraCan: can,
    kind: 'trial',
    folder,
    trial,
    auroraSeveral: false,
    preventDefaultContextMenuItems: true,
  });

/** The context of a row without a run: it has no menu, nor that of the element around it. */
export const NO_MENU = JSON.stringify({
  webviewSection: 'none',
  auroraSeveral: false,
  preventDefaultContextMenuItems: true,
});

/** The context of the element around the rows: which ones are selected, and the menu of the active row, which a key opens. */
export const selectionMenu = (folders: readonly string[], active: string): string =>
  JSON.stringify({ ...(JSON.parse(active) as object), auroraSelected: folders });
