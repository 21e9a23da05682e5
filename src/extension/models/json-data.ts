import * as vscode from 'vscode';
import { openRegular } from '../../files/read';
import { eachLimited } from '../runs/read-quickly';
import { EXCLUDED } from './workspace-files';

/** More JSON files than this are those of programs. */
const LIMIT = 500;
/** Files that are open at the same time. */
const AT_ONCE = 16;

/** A mark of the byte order, and the first object of a list. */
const LIST = /^\uFEFF?\s*\[\s*\{/;

/** The JSON files of the workspace that begin like a list of rows, as data sets such as Commonsense170K are distributed. */
export async function jsonData(): Promise<string[]> {
  const found = await vscode.workspace.findFiles('**/*.json', EXCLUDED, LIMIT);
  const paths = found.filter((uri) => uri.scheme === 'file').map((uri) => uri.fsPath);
  const lists: string[] = [];
  await eachLimited(paths, AT_ONCE, async (path) => {
    if (await isList(path)) lists.push(path);
  });
  return lists.sort();
}

async function isList(path: string): Promise<boolean> {
  const file = await openRegular(path).catch(() => undefined);
  try {
    const begin = await file?.read({ buffer: Buffer.alloc(64) });
    return begin !== undefined && LIST.test(begin.buffer.toString('utf8', 0, begin.bytesRead));
  } catch {
    return false;
  } finally {
    await file?.close();
  }
}
