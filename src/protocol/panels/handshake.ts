/**
 * How a page and its host meet: the page says `ready`, the host answers `init` and one full snapshot. A page
 * that was hidden is gone; coming back it is a new page and says `ready` again. `open` is what the panel
 * shows (which runs, which file); the page keeps it in its own state so that a reload can bring it back.
 */
export interface Init<Open> {
  type: 'init';
  open: Open;
  /** vscode.l10n.bundle: English sentence to translation. */
  l10n: Record<string, string>;
}

/** What `setState` holds and a WebviewPanelSerializer gets back. */
export interface PageState<Open> {
  open: Open;
  /** The page's own: which tab, which scale. Never data. */
  ui?: unknown;
}
