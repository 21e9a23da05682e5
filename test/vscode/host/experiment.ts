import assert from 'node:assert/strict';
import { suite, suiteSetup, test } from 'mocha';
import * as vscode from 'vscode';
import { until } from '../../until';

const ID = 'aurora-lab.aurora-lab';

suite('experiment file', () => {
  const uri = () => vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0].uri, 'tiny.aurora.json');
  let document: vscode.TextDocument;

  suiteSetup(async () => {
    document = await vscode.workspace.openTextDocument(uri());
    await vscode.window.showTextDocument(document);
  });

  const at = (text: string, shift = 0) => {
    const offset = document.getText().indexOf(text);
    assert.notEqual(offset, -1, `${text} is not in the file`);
    return document.positionAt(offset + shift);
  };
  const replace = async (from: string, to: string) => {
    const edit = new vscode.WorkspaceEdit();
    const start = document.getText().indexOf(from);
    edit.replace(
      uri(),
      new vscode.Range(document.positionAt(start), document.positionAt(start + from.length)),
      to,
    );
    assert.ok(await vscode.workspace.applyEdit(edit));
  };

  test('a workspace with an experiment activates the extension', () =>
    until(() => vscode.extensions.getExtension(ID)!.isActive));

  test('an experiment file has its own language', () =>
    assert.equal(document.languageId, 'aurora-experiment'));

  test('hover explains a key', async () => {
    const text = await until(async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        uri(),
        at('"learningRate"', 3),
      );
      return hovers
        .flatMap((h) => h.contents)
        .map((c) => (typeof c === 'string' ? c : c.value))
        .find((c) => /learning rate/i.test(c));
    });
    assert.ok(text.length > 20, text);
  });

  test('completion offers the keys that are missing', async () => {
    await replace('"epochs"', '"", "epochs"');
    try {
      const labels = await until(async () => {
        const list = await vscode.commands.executeCommand<vscode.CompletionList>(
          'vscode.executeCompletionItemProvider',
          uri(),
          at('"", "epochs"', 1),
        );
        const found = list.items.map((i) =>
          (typeof i.label === 'string' ? i.label : i.label.label).replaceAll('"', ''),
        );
        return found.includes('warmupRatio') || found.includes('weightDecay') ? found : undefined;
      });
      assert.ok(!labels.includes('epochs'), 'what is there is not offered again');
    } finally {
      await replace('"", "epochs"', '"epochs"');
    }
  });

  test('an invalid value is marked at its place', async () => {
    await replace('"batchSize": 8', '"batchSize": "many"');
    try {
      const found = await until(() =>
        vscode.languages.getDiagnostics(uri()).find((d) => document.getText(d.range).includes('many')),
      ).catch((e: Error) => {
        const all = vscode.languages.getDiagnostics(uri());
        throw new Error(`${e.message} There are: ${JSON.stringify(all)}`);
      });
      assert.ok(found.message.length > 0);
    } finally {
      await replace('"batchSize": "many"', '"batchSize": 8');
    }
    await until(() => vscode.languages.getDiagnostics(uri()).length === 0);
  });
});
