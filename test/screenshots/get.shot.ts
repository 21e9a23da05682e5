import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { startWorkbench, THEMES, type ThemeName } from '../../scripts/lib/workbench/server.mjs';
import { HubServer } from '../hub/server';
import { smallBert, smallGlue } from '../hub/small-repositories';
import { scratchFolder } from '../scratch';
import { closeBrowser } from '../vscode/driver/browser';
import { pictureOnFailure } from '../vscode/driver/on-failure';
import { Window } from '../vscode/driver/window';
import { Wizard } from '../vscode/driver/wizard';

const ROOT = join(__dirname, '..', '..');
const themes = (process.env.AURORA_THEMES?.split(',') ?? Object.keys(THEMES)) as ThemeName[];

describe.each(themes)('from a name on the hub in %s', (theme) => {
  const hub = new HubServer();
  const folder = scratchFolder(`get-${theme}`);
  const workspace = join(folder, 'work');

  beforeAll(async () => {
    mkdirSync(workspace);
    const names = ['bert', 'bert-small', 'bert-medium', 'roberta'].map((name) => `an-org/${name}`);
    const gated = { ...smallBert('an-org/bert-gated'), gated: 'manual' as const };
    hub.repositories.push(...names.map((name) => smallBert(name)), gated, await smallGlue(folder));
    await hub.start();
  });
  afterAll(async () => {
    hub.stop();
    await closeBrowser();
  });

  test('is drawn', { timeout: 900_000 }, async () => {
    const server = await startWorkbench({
      version: '1.139',
      name: `get-${theme}`,
      extension: ROOT,
      theme,
      settings: { 'window.commandCenter': false, 'workbench.layoutControl.enabled': false },
      env: { HF_ENDPOINT: hub.endpoint },
    });
    let window: Window;
    pictureOnFailure(() => window);
    const picture = async (name: string) => {
      await window.settled();
      await window.screenshot(`get-${name}-${theme}`);
    };
    try {
      window = await Window.open(server, workspace, { width: 1280, height: 860 });
      const wizard = new Wizard(window);
      const box = window.page.locator('.quick-input-widget input:not([type="checkbox"])').first();
      await window.sideBar();
      await window.palette('AuroRA: Get Started');
      await window.page.keyboard.press('Control+B');
      await picture('walkthrough');
      await window.palette('View: Close All Editors');
      await window.page.keyboard.press('Control+B');
      await window.palette('AuroRA: Get Model');
      await wizard.asks('Select a model');
      await picture('models');
      await box.fill('bert');
      await window.page.locator('.quick-input-list', { hasText: 'apache-2.0' }).waitFor();
      await picture('search');
      await wizard.find('Select a model', 'an-org/bert-gated');
      await window.toast('is gated').waitFor();
      await picture('gated');
      await window.pressToast('is gated', 'Sign In');
      await window.page.getByPlaceholder('hf_…').waitFor();
      await picture('sign-in');
      await window.page.keyboard.press('Escape');
      await window.palette('Notifications: Clear All Notifications');
      await window.palette('AuroRA: Get Model');
      await wizard.find('Select a model', 'an-org/bert-small');
      await wizard.asks('an-org/bert-small ·');
      await picture('model');
      await window.page.keyboard.press('Enter');
      await window.toast('is on this machine').waitFor();
      await picture('got');
      await window.pressToast('is on this machine', 'Get Data Set');
      await wizard.asks('Select a data set');
      await picture('sets');
      await wizard.find('Select a data set', 'glue/rte');
      await wizard.asks('Select the splits');
      await picture('splits');
      await wizard.ok();
      await wizard.asks('nyu-mll/glue ·');
      await picture('data');
      await window.page.keyboard.press('Enter');
      await window.pressToast('nyu-mll/glue are on this machine', 'New Experiment');
      await wizard.accept('Select the kind of task');
      await wizard.asks('labeled training texts');
      await picture('wizard');
      await window.page.keyboard.press('Escape');
    } finally {
      await server.stop();
    }
  });
});
