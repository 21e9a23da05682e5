import * as vscode from 'vscode';
import type { ClusterSettings } from '../../experiment/cluster';
import { SETTING } from '../ids';

/** The setting aurora.cluster, as far as it is an object: `aurora sweep` checks it like an experiment's section. */
export function clusterSetting(): ClusterSettings {
  const value = vscode.workspace.getConfiguration('aurora').get<unknown>(SETTING.cluster);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
