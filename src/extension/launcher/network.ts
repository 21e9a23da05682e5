import * as vscode from 'vscode';
import { downloadEnvironment } from './environment';

/**
 * Proxies and certificates of a program that downloads, from the editor's settings and environment. VS Code takes these
 * settings from the user and the machine only, so a workspace cannot choose a proxy.
 */
export function throughNetwork(): NodeJS.ProcessEnv {
  const http = vscode.workspace.getConfiguration('http');
  return downloadEnvironment(process.env, {
    support: http.get('proxySupport', 'override'),
    proxy: http.get('proxy', ''),
    noProxy: http.get<string[]>('noProxy', []),
  });
}
