/**
 * The parts of VS Code that the Experiments view needs, without a window: the editor's own time for rows is not
 * measured.
 */
export class EventEmitter<T> {
  private readonly listeners = new Set<(value: T) => unknown>();
  readonly event = (listener: (value: T) => unknown) => {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  };
  fire(value: T): void {
    for (const listener of this.listeners) listener(value);
  }
  dispose(): void {
    this.listeners.clear();
  }
}

export class TreeItem {
  constructor(
    readonly label: unknown,
    readonly collapsibleState: number,
  ) {}
}

export class ThemeColor {
  constructor(readonly id: string) {}
}

export class ThemeIcon {
  static readonly File = new ThemeIcon('file');
  constructor(
    readonly id: string,
    readonly color?: ThemeColor,
  ) {}
}

export class MarkdownString {
  constructor(readonly value = '') {}
}

export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };
export const Uri = { file: (fsPath: string) => ({ fsPath, scheme: 'file' }) };
export const env = { language: 'en' };
const never = () => ({ dispose: () => undefined });
export const workspace = {
  isTrusted: true,
  workspaceFolders: undefined,
  onDidGrantWorkspaceTrust: never,
  getWorkspaceFolder: () => undefined,
  asRelativePath: (path: string) => path,
};
