/**
 * The handshake between a page and its host: the page sends `ready`, the host answers with `init` and one full
 * snapshot. A hidden page is disposed; when shown, it is a new page and sends `ready` again. `open` is the panel's
 * subject (some runs, a file); the page stores it in its state so that a reload can restore it.
 */
export interface Init<Open> {
  type: 'init';
  open: Open;
  /** vscode.l10n.bundle: English sentence to translation. */
  l10n: Record<string, string>;
}

/** The state for `setState`, which a WebviewPanelSerializer receives. */
export interface PageState<Open> {
  open: Open;
  /** The page's own state: which tab, which scale. Never data. */
  ui?: unknown;
}
