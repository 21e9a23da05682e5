import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { Init, PageState } from '../../protocol/panels/handshake';
import { showError } from '../ask/guard';
import { panelHtml } from './html';

/** A kind of dashboard: how a panel is created and which messages it exchanges with its page. */
export interface PanelKind<Open, FromPage> {
  /** The name, which is also that of the page's bundle: dist/webview/<name>.js and .css. */
  name: string;
  /** Panels with the same key are the same panel. */
  key(open: Open): string;
  title(open: Open): string;
  /** Validates `open` after a reload, since the stored state can be anything. */
  parseOpen(value: unknown): Open | undefined;
  /** Validates a message from the page; undefined is logged and ignored. */
  parse(message: unknown): FromPage | undefined;
  /** Folders beside the page's own, whose files it may show by their address; absolute paths. */
  folders?(open: Open): string[];
  /** Loads the session's code, too, which activation does not need. */
  start(open: Open, page: PageChannel): Promise<PanelSession<FromPage>>;
}

/** The connection to the page. */
export interface PageChannel {
  /** Nothing is sent to a page that is hidden or has not sent `ready`: it gets a snapshot when it is shown again. */
  post(message: unknown): void;
  setTitle(title: string): void;
  /** The address by which the page loads a file, if it is in one of the kind's `folders`; absolute path. */
  address(path: string): string;
}

export interface PanelSession<FromPage> {
  /** Sends everything; called when the page is ready, also after it was hidden. */
  snapshot(): void;
  /** The page is hidden and therefore disposed: nothing reaches it until the next `snapshot`. */
  hidden?(): void;
  receive(message: FromPage): void;
  /** The user asked for the open panel once more. */
  openedAgain?(): void;
  dispose(): void;
}

interface OpenPanel<Open> {
  panel: vscode.WebviewPanel;
  open: Open;
  /** The title by its kind, as last computed. */
  title: string;
  again: () => void;
}

/** All panels of one kind. */
export class PanelHome<Open, FromPage> implements vscode.WebviewPanelSerializer {
  private readonly panels = new Map<string, OpenPanel<Open>>();
  private readonly subscription: vscode.Disposable;
  readonly viewType: string;

  constructor(
    private readonly kind: PanelKind<Open, FromPage>,
    private readonly extensionUri: vscode.Uri,
    private readonly log: vscode.LogOutputChannel,
    /** Called for each panel that opens. */
    private readonly opened: () => void = () => undefined,
  ) {
    this.viewType = `aurora.${kind.name}`;
    this.subscription = vscode.window.registerWebviewPanelSerializer(this.viewType, this);
  }

  open(open: Open, preserveFocus = false): void {
    const there = this.panels.get(this.kind.key(open));
    if (there) {
      there.panel.reveal(undefined, preserveFocus);
      return there.again();
    }
    const panel = vscode.window.createWebviewPanel(this.viewType, this.kind.title(open), {
      viewColumn: vscode.ViewColumn.Active,
      preserveFocus,
    });
    this.attach(panel, open);
  }

  /** Shows new names of runs, also on hidden panels. */
  retitle(): void {
    for (const known of this.panels.values()) {
      const title = this.kind.title(known.open);
      if (title === known.title) continue;
      known.title = title;
      known.panel.title = title;
    }
  }

  /** The subjects of the visible panels. */
  inSight(): Open[] {
    return [...this.panels.values()].flatMap(({ panel, open }) => (panel.visible ? [open] : []));
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const open = this.kind.parseOpen((state as PageState<unknown> | undefined)?.open);
    if (open !== undefined && !this.panels.has(this.kind.key(open))) this.attach(panel, open);
    else panel.dispose();
    return Promise.resolve();
  }

  dispose(): void {
    this.subscription.dispose();
    for (const { panel } of this.panels.values()) panel.dispose();
  }

  private attach(panel: vscode.WebviewPanel, open: Open): void {
    const key = this.kind.key(open);
    this.opened();
    const { webview } = panel;
    const folder = vscode.Uri.joinPath(this.extensionUri, 'dist', 'webview');
    const others = this.kind.folders?.(open).map((path) => vscode.Uri.file(path)) ?? [];
    webview.options = { enableScripts: true, localResourceRoots: [folder, ...others] };
    panel.iconPath = vscode.Uri.joinPath(this.extensionUri, 'media', 'aurora-tab.svg');
    let ready = false;
    const post = (message: unknown) => {
      if (ready && panel.visible) void webview.postMessage(message);
    };
    const started = this.kind.start(open, {
      post,
      setTitle: (title) => (panel.title = title),
      address: (path) => webview.asWebviewUri(vscode.Uri.file(path)).toString(),
    });
    started.catch((e: unknown) => showError(this.log, e));
    // In the order of the calls. A session that could not start was reported above.
    const session = (use: (session: PanelSession<FromPage>) => void) =>
      void started.then(use, () => undefined).catch((e: unknown) => showError(this.log, e));
    const title = this.kind.title(open);
    this.panels.set(key, { panel, open, title, again: () => session((s) => s.openedAgain?.()) });
    webview.onDidReceiveMessage((message: unknown) => {
      if ((message as { type?: unknown } | undefined)?.type === 'ready') {
        ready = true;
        const init: Init<Open> = {
          type: 'init',
          open,
          l10n: (vscode.l10n.bundle as Record<string, string>) ?? {},
        };
        post(init);
        return session((s) => s.snapshot());
      }
      const known = this.kind.parse(message);
      if (known === undefined)
        return this.log.warn(`${this.viewType}: ignored a message of an unknown kind.`);
      session((s) => s.receive(known));
    });
    panel.onDidChangeViewState(() => {
      // A hidden page is disposed. It sends `ready` again when shown.
      if (panel.visible) return;
      ready = false;
      session((s) => s.hidden?.());
    });
    panel.onDidDispose(() => {
      // The session may still be loading.
      ready = false;
      this.panels.delete(key);
      session((s) => s.dispose());
    });
    const uri = (file: string) => webview.asWebviewUri(vscode.Uri.joinPath(folder, file)).toString();
    webview.html = panelHtml({
      title: 'AuroRA',
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString('base64'),
      script: uri(`${this.kind.name}.js`),
      style: uri(`${this.kind.name}.css`),
    });
  }
}
