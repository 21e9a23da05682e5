import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { suite, suiteSetup, test } from 'mocha';
import * as vscode from 'vscode';

const ID = 'aurora-lab.aurora-lab';
suite('activation', () => {
  // A new host first starts the editor's own extensions, and their time must not count.
  suiteSetup(async () => {
    for (let calm = 0, tries = 0; calm < 20 && tries < 400; tries++) {
      const before = performance.now();
      await wait(50);
      calm = performance.now() - before < 60 ? calm + 1 : 0;
    }
  });

  test('an empty folder does not activate the extension', () => {
    assert.equal(vscode.extensions.getExtension(ID)!.isActive, false);
  });

  test('load and activate', async () => {
    await vscode.extensions.getExtension(ID)!.activate();
    // `npm run bench:editor` uses this test's time.
    assert.equal(vscode.extensions.getExtension(ID)!.isActive, true);
  });

  test('activation loads extension.cjs with its first part and nothing native', () => {
    const folder = vscode.extensions.getExtension(ID)!.extensionPath;
    const loaded = Object.keys(require.cache).filter((file) => file.startsWith(folder));
    const names = loaded.map((file) => file.slice(folder.length + 1)).sort();
    assert.equal(names.length, 2, names.join(', '));
    assert.match(names[0], /^dist\/extension-chunk-\w+\.cjs$/);
    assert.equal(names[1], 'dist/extension.cjs');
  });

  test('every command of the manifest is registered', async () => {
    const { commands } = (
      vscode.extensions.getExtension(ID)!.packageJSON as {
        contributes: { commands: { command: string }[] };
      }
    ).contributes;
    assert.ok(commands.length >= 20);
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      commands.map((c) => c.command).filter((command) => !registered.has(command)),
      [],
    );
  });
});
