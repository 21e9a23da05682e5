import type * as vscode from 'vscode';
import { LANGUAGE } from '../ids';

export const isExperiment = (document: vscode.TextDocument): boolean =>
  document.languageId === LANGUAGE && document.uri.scheme === 'file';
