import type { Locator } from 'playwright-core';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { withPageSelection } from '../../src/extension/runs/nodes';
import { changeUser } from '../../src/runs/user';
import { setStatus } from '../unit/extension/run-maker';
import { parseRunsMessage, parseRunsOpen } from '../../src/study/runs-table/runs-messages';
import { parseView } from '../../src/study/runs-table/saved-views';
import { faintTexts, shownTexts } from './contrast';
import { closePages, THEMES, type Theme } from './harness';
import { entryOf, manyEntries, rankedRun, wireTable, type WiredTable } from './runs-fixture';

let w: WiredTable | undefined;
afterEach(async () => {
  await w?.close();
  w = undefined;
});
afterAll(closePages);

/** Ranks 2, 4 and 8 with two seeds each. */
const ranked = (file: string) =>
  Promise.all([2, 4, 8].flatMap((rank) => [1, 2].map((seed) => entryOf(rankedRun(file, rank, seed)))));

async function open(options: Parameters<typeof wireTable>[1] = {}): Promise<WiredTable> {
  w = await wireTable(ranked, { height: 700, width: 1400, ...options });
  await w.page.locator('.row').first().waitFor();
  return w;
}

/** A column's cells, top down. */
const column = ({ page }: WiredTable, key: string): Promise<string[]> =>
  page.evaluate((wanted) => {
    const heads = [...document.querySelectorAll('[role=columnheader]')];
    const at = heads.findIndex((head) => head.querySelector(`[data-sort="${wanted}"]`));
    return [...document.querySelectorAll('.row')].map((row) =>
      (row.children[at] as HTMLElement).innerText.trim(),
    );
  }, key);
/** The menu's context as VS Code makes it: of the element and those around it, the innermost first. */
const menuOf = (target: Locator): Promise<object> =>
  target.evaluate((start) => {
    let context: object = {};
    for (
      let at = start.closest<HTMLElement>('[data-vscode-context]');
      at;
      at = at.parentElement?.closest<HTMLElement>('[data-vscode-context]') ?? null
    )
      context = { ...(JSON.parse(at.dataset.vscodeContext!) as object), ...context };
    return context;
  });
const healthy = async (w: WiredTable) => {
  expect(await w.opened.complaints()).toEqual([]);
  expect(w.errors).toEqual([]);
};

describe('the Runs table', () => {
  it('shows what differs, newest first, and sorts by a header with mouse and keyboard', async () => {
    const { page } = await open();
    expect(
      await page.locator('[data-sort]').evaluateAll((all) => all.map((b) => (b as HTMLElement).dataset.sort)),
    ).toEqual([
      'name',
      'state',
      'accuracy',
      'loss',
      'adapter.rank',
      'training.seed',
      'parameters',
      'started',
      'duration',
    ]);
    expect(await column(w!, 'adapter.rank')).toEqual(['8', '8', '4', '4', '2', '2']);
    await page.locator('[data-sort=accuracy]').click();
    await expect
      .poll(() => column(w!, 'accuracy'))
      .toEqual(['72.0%', '71.0%', '62.0%', '61.0%', '57.0%', '56.0%']);
    const head = page.locator('[role=columnheader]', { has: page.locator('[data-sort=accuracy]') });
    expect(await head.getAttribute('aria-sort')).toBe('descending');
    await page.locator('[data-sort=accuracy]').press('Enter');
    await expect.poll(() => head.getAttribute('aria-sort')).toBe('ascending');
    expect((await column(w!, 'accuracy'))[0]).toBe('56.0%');
    await healthy(w!);
  });

  it('filters while typing, keeps the rows while the filter has a mistake, and shows where it is', async () => {
    const { page } = await open();
    const box = page.locator('[data-field=filter]');
    await box.fill('rank >= 4 and seed = 1');
    await expect.poll(() => column(w!, 'adapter.rank')).toEqual(['8', '4']);
    await page.getByText('2 of 6 runs').waitFor();
    await box.fill('rank >= 4 and sed = 1');
    await page.locator('.problem', { hasText: 'There is no column "sed". Did you mean "seed"?' }).waitFor();
    expect(await page.locator('.problem mark').innerText()).toBe('sed');
    expect(await box.getAttribute('aria-invalid')).toBe('true');
    expect(await column(w!, 'adapter.rank')).toEqual(['8', '4']);
    expect(w!.views.at(-1)).toMatchObject({ filter: 'rank >= 4 and sed = 1' });
    await healthy(w!);
  });

  it('groups by a setting, with mean and standard deviation, and closes a group', async () => {
    const { page } = await open();
    await page.locator('[data-field=group]').selectOption('adapter.rank');
    const groups = page.locator('.group');
    await expect
      .poll(() => groups.locator('.name').allInnerTexts())
      .toEqual(['2 2 runs', '4 2 runs', '8 2 runs']);
    expect(
      await groups
        .first()
        .locator('[title^="mean 56.5%, standard deviation 0.7%"] [aria-hidden]')
        .innerText(),
    ).toBe('56.5% ± 0.7%');
    expect(await page.locator('.grid').getAttribute('role')).toBe('treegrid');
    await groups.first().click();
    await expect.poll(() => page.locator('.row').count()).toBe(4);
    expect(await groups.first().getAttribute('aria-expanded')).toBe('false');
    await healthy(w!);
  });

  it('keeps a pinned run in the mean of its group', async () => {
    const { page } = await open({ view: { group: ['adapter.rank'] } });
    const first = page.locator('.group').first();
    const mean = () => first.locator('[title^="mean"] [aria-hidden]').allInnerTexts();
    const before = await mean();
    await page.locator('.row .pin').first().click();
    await expect.poll(() => first.locator('.name').innerText()).toBe('2 2 runs, 1 pinned');
    expect(await mean()).toEqual(before);
    // Also if all of them are pinned.
    await page.locator('.body .row .pin').first().click();
    await expect.poll(() => first.locator('.name').innerText()).toBe('2 2 runs, 2 pinned');
    expect(await mean()).toEqual(before);
    expect(await page.locator('.row').count()).toBe(6);
    await healthy(w!);
  });

  it('groups by two settings', async () => {
    const { page } = await open();
    expect(await page.locator('[data-field=group2]').count()).toBe(0);
    await page.locator('[data-field=group]').selectOption('adapter.rank');
    await page.locator('[data-field=group2]').selectOption('training.seed');
    await expect
      .poll(() => page.locator('.group .name').allInnerTexts())
      .toEqual([2, 4, 8].flatMap((rank) => [1, 2].map((seed) => `${rank} · ${seed} 1 run`)));
    expect(w!.views.at(-1)).toMatchObject({ group: ['adapter.rank', 'training.seed'] });
    // The first choice becomes what was the second.
    await page.locator('[data-field=group]').selectOption('training.seed');
    await expect.poll(() => page.locator('.group').count()).toBe(2);
    await page.locator('[data-field=group]').selectOption('');
    await expect.poll(() => page.locator('.group').count()).toBe(0);
    await healthy(w!);
  });

  it('draws the curves of checked runs beside the table, and offers what takes several runs', async () => {
    const { page } = await open();
    await page.locator('.row input').nth(0).check();
    await page.locator('.row input').nth(5).check();
    const curves = () =>
      page.locator('[data-curves]').evaluateAll((all) => all.map((c) => (c as HTMLElement).dataset.curves));
    await expect.poll(curves).toEqual(['2', '2']);
    expect(await page.locator('.legend li').count()).toBe(2);
    const runs = [w!.entries[5].folder, w!.entries[0].folder];
    for (const action of ['compare', 'study', 'export', 'combine', 'delete']) {
      await page.locator(`[data-action=${action}]`).click();
      await expect.poll(() => w!.asked.at(-1)).toEqual({ type: 'action', action, runs });
    }
    await page.locator('[data-action=csv]').click();
    await expect.poll(() => w!.asked.at(-1)).toMatchObject({ type: 'csv', rows: 6 });
    expect(await w!.opened.state()).toMatchObject({ ui: { checked: runs } });
    await page.locator('[data-chart=loss] .chart-menu').press('Enter');
    await page.locator('[data-save=csv]').click();
    await expect
      .poll(() => w!.asked.at(-1))
      .toMatchObject({ type: 'saveChart', chart: 'loss', format: 'csv' });
    await page.locator('[data-action=clear]').click();
    await page.locator('.curves').waitFor({ state: 'detached' });
    await healthy(w!);
  });

  it('opens the menu of the row that was clicked, and of all checked rows on one of them', async () => {
    const { page } = await open();
    for (const nth of [0, 1, 2, 3]) await page.locator('.row input').nth(nth).check();
    const folders = await page
      .locator('.row')
      .evaluateAll((all) => all.map((row) => (row as HTMLElement).dataset.folder!));
    const argsOf = async (nth: number) =>
      withPageSelection([await menuOf(page.locator('.row').nth(nth).locator('.cell').last())]);
    const fifth = [expect.objectContaining({ kind: 'run', folder: folders[4], auroraSeveral: false })];
    expect(await argsOf(4)).toEqual(fifth);
    const [row, selected] = await argsOf(1);
    expect(row).toMatchObject({
      webviewSection: 'auroraRun',
      auroraSeveral: true,
      auroraCan: expect.stringContaining('canDelete') as string,
      folder: folders[1],
    });
    expect((selected as { folder: string }[]).map(({ folder }) => folder).sort()).toEqual(
      folders.slice(0, 4).sort(),
    );
    // A right click marks its row, so that it can be seen what the menu is about.
    await page.locator('.row').nth(4).click({ button: 'right' });
    await expect.poll(() => page.locator('.row.active').getAttribute('data-folder')).toBe(folders[4]);
    expect(await argsOf(4)).toEqual(fifth);
    // The menu key opens the menu of the active row.
    expect(withPageSelection([await menuOf(page.locator('.grid'))])).toEqual(fifth);
    await healthy(w!);
  });

  it('says how many checked runs the filter hides, since a button acts on them too', async () => {
    const { page } = await open();
    for (const nth of [0, 1, 2]) await page.locator('.row input').nth(nth).check();
    await page.locator('[data-field=filter]').fill('rank = 8');
    await expect
      .poll(() => page.locator('.selection > span').innerText())
      .toBe('3 runs checked, 1 hidden by the filter');
    await healthy(w!);
  });

  it('is used by keyboard: arrows, Space, P and Enter; pinned rows stay on top', async () => {
    const { page } = await open();
    const grid = page.locator('.grid');
    await grid.focus();
    for (const key of ['End', 'ArrowUp', 'Space']) await page.keyboard.press(key);
    await expect.poll(() => grid.getAttribute('aria-activedescendant')).toBe('line-4');
    await expect
      .poll(() => page.locator('.row[aria-selected=true]').getAttribute('data-folder'))
      .toBe(w!.entries[1].folder);
    await page.keyboard.press('Enter');
    await expect.poll(() => w!.asked).toEqual([{ type: 'open', run: w!.entries[1].folder }]);
    await page.keyboard.press('p');
    await expect
      .poll(() => page.locator('.head .row').getAttribute('data-folder'))
      .toBe(w!.entries[1].folder);
    await page.locator('[data-field=filter]').fill('rank = 8');
    await expect.poll(() => column(w!, 'adapter.rank')).toEqual(['2', '8', '8']);
    expect(w!.views.at(-1)).toMatchObject({ pinned: [w!.entries[1].folder] });
    await healthy(w!);
  });

  it('lets the user drag a column wider, or resize it by keys, and keeps the width', async () => {
    const { page } = await open({ view: { widths: { accuracy: 200 } } });
    const width = async (key: string) =>
      Math.round(
        (await page
          .locator('[role=columnheader]', { has: page.locator(`[data-sort="${key}"]`) })
          .boundingBox())!.width,
      );
    const kept = () => w!.views.at(-1)?.widths;
    expect(await width('accuracy')).toBe(200);
    const before = await width('name');
    const edge = (await page.locator('.sizer').first().boundingBox())!;
    const [x, y] = [edge.x + edge.width / 2, edge.y + edge.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 30, y);
    await expect.poll(() => width('name')).toBe(before + 30);
    await page.mouse.move(x + 60, y, { steps: 3 });
    await page.mouse.up();
    expect(await width('name')).toBe(before + 60);
    await expect.poll(kept).toEqual({ accuracy: 200, name: before + 60 });
    // The order is as it was: that was no click on the heading.
    expect(await column(w!, 'adapter.rank')).toEqual(['8', '8', '4', '4', '2', '2']);
    await page.locator('[data-sort=accuracy]').press('Shift+ArrowLeft');
    await expect.poll(kept).toEqual({ accuracy: 184, name: before + 60 });
    await page.locator('[data-sort=accuracy]').press('Shift+Home');
    await page.locator('.sizer').first().dblclick();
    await expect.poll(() => width('name')).toBe(before);
    expect(kept()).toBeUndefined();
    await healthy(w!);
  });

  it('shows the training loss while a run trains', async () => {
    const { page } = await open();
    await page.getByText('6 runs').waitFor();
    expect(await page.locator('[data-sort=trainingLoss]').count()).toBe(0);
    setStatus(w!.entries[0].folder, {
      state: 'running',
      step: 80,
      startedAt: Date.UTC(2026, 0, 1),
    });
    w!.entries[0] = await entryOf(w!.entries[0].folder);
    expect(w!.entries[0].state).toBe('running');
    w!.session.changed();
    await expect.poll(async () => (await column(w!, 'trainingLoss')).at(-1)).toMatch(/^0\.0\d+$/);
    expect((await column(w!, 'trainingLoss'))[0]).toBe('');
    await healthy(w!);
  });

  it('marks a finished run that had alarms, and names them', async () => {
    w = await wireTable(
      async (file) => {
        const [first, second] = await ranked(file);
        const at = { step: 30, since: 25, value: 9, threshold: 2, reference: 1 };
        const alarm = { v: 1, seq: 9, t: 9, kind: 'alarm', alarm: 'loss-jump', ...at } as const;
        return [first, { ...second, run: { ...second.run!, events: [...second.run!.events, alarm] } }];
      },
      { height: 700, width: 1400 },
    );
    await expect.poll(() => column(w!, 'alarms')).toEqual(['loss jumped', '']);
    const cells = w.page.locator('.state');
    expect(await cells.locator('.mark').allInnerTexts()).toEqual(['⚠', '✓']);
    expect(await cells.first().getAttribute('title')).toBe('finished: loss jumped');
    await healthy(w);
  });

  it('lets the user choose columns, and starts as it was left', async () => {
    const { page } = await open({
      view: {
        sort: { key: 'training.seed', descending: false },
        columns: ['name', 'accuracy', 'training.seed'],
      },
    });
    expect(await column(w!, 'training.seed')).toEqual(['1', '1', '1', '2', '2', '2']);
    await page.locator('[data-menu=columns] summary').click();
    await page.locator('[data-column="training.batchSize"]').check();
    await expect.poll(() => column(w!, 'training.batchSize')).toEqual(Array(6).fill('16'));
    await page.locator('[data-column=accuracy]').uncheck();
    await expect.poll(() => page.locator('[data-sort=accuracy]').count()).toBe(0);
    expect(w!.views.at(-1)?.columns).toEqual(['name', 'training.seed', 'training.batchSize']);
    await page.keyboard.press('Escape');
    expect(await page.locator('[data-menu=columns] .popup').isVisible()).toBe(false);
    await healthy(w!);
  });

  it('saves, chooses, updates, renames and deletes views of the table by keyboard', async () => {
    const { page } = await open({
      view: { filter: 'rank >= 4', group: ['training.seed'], columns: ['name', 'accuracy'] },
      saved: [{ name: '<b>low</b>', view: { filter: 'rank = 2' } }],
    });
    const menu = page.locator('[data-menu=views]');
    const summary = menu.locator('summary');
    const names = () => menu.locator('.view-name bdi').allInnerTexts();
    const isFocused = (target: Locator) => target.evaluate((e) => e === document.activeElement);
    const press = async (target: Locator, key = 'Enter') => {
      await target.focus();
      await page.keyboard.press(key);
    };
    await press(summary);
    // A name is a text.
    await expect.poll(names).toEqual(['<b>low</b>']);

    await menu.getByLabel('Save as').fill('high');
    await page.keyboard.press('Enter');
    await expect.poll(names).toEqual(['<b>low</b>', 'high']);
    await expect.poll(() => summary.innerText()).toBe('View: high');
    await expect.poll(() => menu.getByRole('status').innerText()).toBe('Saved high.');
    const high = { filter: 'rank >= 4', group: ['training.seed'], columns: ['name', 'accuracy'] };
    expect(w!.saved.find((v) => v.name === 'high')?.view).toEqual(high);
    await menu.getByLabel('Save as').fill(' high ');
    await page.keyboard.press('Enter');
    await menu.getByRole('alert').filter({ hasText: 'There is a view named high.' }).waitFor();

    await press(menu.getByRole('button', { name: '<b>low</b>', exact: true }));
    await expect.poll(() => column(w!, 'adapter.rank')).toEqual(['2', '2']);
    expect(await page.locator('[data-field=filter]').inputValue()).toBe('rank = 2');
    expect(await page.locator('.group').count()).toBe(0);
    expect(await menu.locator('.popup').isVisible()).toBe(false);
    expect(await isFocused(summary)).toBe(true);
    expect(w!.views.at(-1)).toEqual({ filter: 'rank = 2', saved: '<b>low</b>' });

    await page.locator('[data-field=filter]').fill('rank = 2 and seed = 1');
    await expect.poll(() => summary.innerText()).toBe('View: <b>low</b> (changed)');
    await press(summary);
    expect(await menu.locator('[aria-current=true]').innerText()).toContain('<b>low</b>');
    await press(menu.getByRole('button', { name: 'Update <b>low</b>' }));
    await expect.poll(() => summary.innerText()).toBe('View: <b>low</b>');
    expect(w!.saved.find((v) => v.name === '<b>low</b>')?.view).toEqual({ filter: 'rank = 2 and seed = 1' });

    const rename = menu.getByRole('button', { name: 'Rename <b>low</b>' });
    await press(rename);
    await page.keyboard.press('Escape');
    await expect.poll(() => isFocused(rename)).toBe(true);
    await press(rename);
    await expect.poll(() => isFocused(menu.getByLabel('New name'))).toBe(true);
    // The old name is selected.
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');
    await expect.poll(names).toEqual(['high', 'two']);
    await expect.poll(() => summary.innerText()).toBe('View: two');

    await press(menu.getByRole('button', { name: 'Delete high' }));
    await expect.poll(names).toEqual(['two']);
    await expect.poll(() => isFocused(menu.getByRole('button', { name: 'Undo' }))).toBe(true);
    await page.keyboard.press('Enter');
    await expect.poll(names).toEqual(['high', 'two']);
    expect(w!.saved.find((v) => v.name === 'high')?.view).toEqual(high);
    await page.keyboard.press('Escape');
    expect(await menu.locator('.popup').isVisible()).toBe(false);
    await healthy(w!);
  });

  it('sends only rows that changed, and removes deleted ones', async () => {
    const { page } = await open();
    await page.getByText('6 runs').waitFor();
    changeUser(w!.entries[5].folder, { name: 'renamed', tags: ['good'] });
    w!.entries[5] = await entryOf(w!.entries[5].folder);
    const before = w!.sent.length;
    w!.session.changed();
    await expect.poll(async () => (await column(w!, 'name'))[0]).toBe('renamed');
    // Its tag is the first, so that the table has a new column; a second name changes one row.
    changeUser(w!.entries[5].folder, { name: 'again' });
    w!.entries[5] = await entryOf(w!.entries[5].folder);
    w!.session.changed();
    await expect.poll(async () => (await column(w!, 'name'))[0]).toBe('again');
    expect(w!.sent.length).toBeGreaterThan(before);
    expect(w!.sent.at(-1)?.rows?.map((r) => r.folder)).toEqual([w!.entries[5].folder]);
    w!.entries.splice(0, 4);
    w!.session.changed();
    await expect.poll(() => page.locator('.row').count()).toBe(2);
    await healthy(w!);
  });

  it('has only the visible ones of ten thousand rows in the document, and scrolls to the last', async () => {
    w = await wireTable(async (file) => manyEntries(await entryOf(rankedRun(file, 2, 1)), 10_000), {
      width: 1400,
    });
    const { page } = w;
    await page.getByText('10,000 runs', { exact: false }).first().waitFor();
    await page.locator('[data-sort="training.seed"]').click();
    expect(await page.locator('.row').count()).toBeLessThan(80);
    expect(await page.locator('.grid').getAttribute('aria-rowcount')).toBe('10001');
    await page.locator('.grid').focus();
    await page.keyboard.press('End');
    await expect.poll(async () => (await column(w!, 'training.seed')).at(-1)).toBe('9999');
    expect(await page.locator('.row').count()).toBeLessThan(80);
    await page.locator('[data-field=filter]').fill('accuracy >= 99.9% and seed < 3000');
    await expect.poll(() => column(w!, 'training.seed')).toEqual(['999', '1999', '2999']);
    await healthy(w);
  });

  it('says that there are no runs yet', async () => {
    w = await wireTable(() => []);
    await w.page.getByText('No runs yet.', { exact: false }).waitFor();
    await healthy(w);
  });

  it.each<[Theme, number]>(THEMES.map((theme, i) => [theme, i % 2 ? 1400 : 700]))(
    'is legible and accessible in %s, %i pixels wide',
    async (theme, width) => {
      const { page } = await open({ theme, width });
      await page.locator('.row input').nth(1).check();
      await page.locator('.row input').nth(3).check();
      await page.locator('[data-field=group]').selectOption('adapter.rank');
      await page.locator('.row .pin').first().click();
      await page.locator('[data-field=filter]').fill('accuracy > high');
      await page.locator('.problem').waitFor();
      await page.locator('.chart-host canvas').first().waitFor();
      await w!.opened.screenshot(`runs-${theme}`);
      expect(await shownTexts(page.mainFrame())).toBeGreaterThan(40);
      expect(await faintTexts(page.mainFrame())).toEqual([]);
      expect(await w!.opened.accessibility()).toEqual([]);

      await healthy(w!);
    },
  );

  it('fits into 320 pixels', async () => {
    const { page } = await open({ width: 320 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await w!.opened.screenshot('runs-320');
  });
});

it('messages, views and saved panel states are validated', () => {
  expect([{}, { all: 1 }, { experiment: 3 }, null].map(parseRunsOpen)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(parseRunsOpen({ sweep: '/s' })).toEqual({ sweep: '/s' });
  expect(
    parseView({
      columns: [],
      sort: { key: 'a' },
      filter: 3,
      pinned: ['/a'],
      group: ['rank'],
      widths: { a: 100, b: '100', c: 3 },
    }),
  ).toEqual({ pinned: ['/a'], group: ['rank'], widths: { a: 100 } });
  expect(
    [
      { type: 'action', action: 'rm', runs: ['/a'] },
      { type: 'action', action: 'delete', runs: [] },
      { type: 'csv' },
      null,
    ].map(parseRunsMessage),
  ).toEqual([undefined, undefined, undefined, undefined]);
});
