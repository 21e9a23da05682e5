import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';
import { PURE, FOLDERS } from '../../../scripts/lib/folders.mjs';
import { folderOf, sources } from './sources';

const topOf = (path: string): string => path.split('/')[1];
/** Files directly in src belong to no folder. */
const folders = [...new Set(sources('src').map(folderOf))].filter((folder) => folder !== 'src');
/** The rule depends on the folder of src and on the number of steps out of it, so one folder of each is enough. */
const examples = [...new Map(folders.map((f) => [`${topOf(f)} ${f.split('/').length}`, f])).values()];

describe('the lint rule', () => {
  const eslint = new ESLint();
  /** The lint messages for a file in this folder with one import. */
  async function said(folder: string, name: string): Promise<string[]> {
    const text = `import { x } from '${name}';\nexport const y = x;\n`;
    const [{ messages }] = await eslint.lintText(text, { filePath: `${folder}/zz-not-there.ts` });
    return messages.map((m) => m.message);
  }
  const ups = (folder: string): string => '../'.repeat(folder.split('/').length - 1);

  it.each(examples)('rejects a forbidden import in %s and accepts an allowed one', async (folder) => {
    const top = topOf(folder);
    const forbidden = Object.keys(FOLDERS).filter((other) => other !== top && !FOLDERS[top].includes(other));
    for (const other of forbidden)
      expect(await said(folder, `${ups(folder)}${other}/some/file`), other).toEqual([
        expect.stringContaining(`src/${top} must not import this`),
      ]);
    for (const other of [top, ...FOLDERS[top]])
      expect(await said(folder, `${ups(folder)}${other}/some/file`), other).toEqual([]);
  });

  it('lets src/data/images import sharp', async () =>
    expect(await said('src/data/images', 'sharp')).toEqual([]));

  it.each([
    ...PURE.flatMap((top) => [
      [`src/${top}`, 'node:fs', 'is imported by pages too'],
      [`src/${top}`, 'vscode', 'is imported by pages too'],
    ]),
    ['src/training/loop', 'vscode', 'Only src/extension may import vscode'],
    ['src/training/loop', 'onnxruntime-node', 'Only src/engine loads a runtime'],
    ['src/extension/tree', '@tensorflow/tfjs', 'Only src/engine loads a runtime'],
    ['src/tasks', 'sharp', 'Only src/data/images reads images'],
    ['src/data/table', 'sharp', 'Only src/data/images reads images'],
    ['src/data/images', 'onnxruntime-node', 'Only src/engine loads a runtime'],
    ['src/data/images', '../../tasks/kind', 'src/data must not import this'],
    ['webview/run', '../../src/runs/read', 'Pages import only'],
    ['webview/run', 'node:fs', 'Only webview/ui imports the toolkit'],
    ['webview/run', '@vscode/webview-ui-toolkit', 'Only webview/ui imports the toolkit'],
    ['webview/ui', 'vscode', 'Pages run in a browser'],
    ['webview/ui', '../../src/runs/read', 'Pages import only'],
  ])('rejects, in %s, an import of %s', async (folder, name, words) => {
    const messages = await said(folder, name);
    expect(messages.length).toBeGreaterThan(0);
    expect(messages.join('\n')).toContain(words);
  });
});
