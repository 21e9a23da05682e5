import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    addMcpServer: {
      title: 'Add to .mcp.json for Agents',
      palette: 'isWorkspaceTrusted && workspaceFolderCount != 0',
    },
  },
  sections: { mcpServerDefinitionProviders: [{ id: 'aurora', label: 'AuroRA Lab' }] },
};

/** As in the manifest. */
const ID = 'aurora';

/** The version of VS Code that has the API below; this extension needs less. */
const SINCE = [1, 101] as const;

/** Before that, a proposed API has the same names, and throws for a manifest that is for the final one. */
function hasMcp(): boolean {
  const [major = 0, minor = 0] = vscode.version.split('.').map(Number);
  return major > SINCE[0] || (major === SINCE[0] && minor >= SINCE[1]);
}

interface McpApi {
  lm?: {
    registerMcpServerDefinitionProvider?: (id: string, provider: McpProvider) => vscode.Disposable;
  };
  McpStdioServerDefinition?: new (
    label: string,
    command: string,
    args?: string[],
    env?: Record<string, string>,
    version?: string,
  ) => McpServer;
}

interface McpServer {
  command: string;
  args: string[];
  env: Record<string, string | number | null>;
  cwd?: vscode.Uri;
}

interface McpProvider {
  onDidChangeMcpServerDefinitions: vscode.Event<void>;
  provideMcpServerDefinitions(): McpServer[];
  resolveMcpServerDefinition(server: McpServer): Promise<McpServer>;
}

/**
 * Offers the server of `aurora mcp` to the agents in VS Code, in trusted workspaces with a folder. Nothing starts before the
 * user starts the server, or an agent that they allowed does.
 */
export function registerMcpServer({ context, trainer }: Services): vscode.Disposable {
  const { lm, McpStdioServerDefinition: Definition } = vscode as McpApi;
  if (!hasMcp() || typeof lm?.registerMcpServerDefinitionProvider !== 'function' || !Definition)
    return vscode.Disposable.from();
  const changed = new vscode.EventEmitter<void>();
  const { version } = context.extension.packageJSON as { version: string };
  return vscode.Disposable.from(
    changed,
    vscode.workspace.onDidGrantWorkspaceTrust(() => changed.fire()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => changed.fire()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration('aurora')) changed.fire();
    }),
    lm.registerMcpServerDefinitionProvider(ID, {
      onDidChangeMcpServerDefinitions: changed.event,
      provideMcpServerDefinitions() {
        const folders = localFolders();
        if (!vscode.workspace.isTrusted || folders.length === 0) return [];
        // The command follows when the server starts: finding it runs Node, and copies the programs the first time.
        const server = new Definition(t('AuroRA Lab'), 'aurora', ['mcp', ...folders], {}, version);
        server.cwd = vscode.Uri.file(folders[0]!);
        return [server];
      },
      async resolveMcpServerDefinition(server) {
        const { command, args, env } = await trainer.server(localFolders());
        return Object.assign(server, { command, args, env });
      },
    }),
  );
}

const localFolders = (): string[] =>
  (vscode.workspace.workspaceFolders ?? []).filter((f) => f.uri.scheme === 'file').map((f) => f.uri.fsPath);

/** The command that lets agents outside the editor start the server. */
export const registerMcpJson = (services: Services): vscode.Disposable =>
  registerGuarded(services.log, COMMAND.addMcpServer, async () => {
    const { addToMcpJson } = await import('./add-to-mcp-json');
    return addToMcpJson(services);
  });
