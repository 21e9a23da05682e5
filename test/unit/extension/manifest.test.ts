import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../../src/engine/place';
import { HEAD_ALONE, METHOD_ORDER } from '../../../src/experiment/methods';
import { COMMAND, CONTEXT, LANGUAGE, PANELS, SETTING, TOOL, VIEW } from '../../../src/extension/ids';
import type { RunEntry } from '../../../src/extension/runs/store';
import { adapterRow, checkpointRow, exportRow } from '../../../src/extension/tree/artifacts';
import { experimentRow } from '../../../src/extension/tree/experiment-row';
import { queuedRow } from '../../../src/extension/queue/queued-row';
import { interruptedRow } from '../../../src/extension/tree/interrupted';
import { sweepRow } from '../../../src/extension/words/sweep-row';
import { trialRow } from '../../../src/extension/words/cluster/trial-row';
import { runRow } from '../../../src/extension/words/run-row';
import manifest from '../../../package.json';
import texts from '../../../package.nls.json';
import { readRunSummary } from '../../../src/runs/read';
import { temporaryFolders } from '../runs/folder';
import { exportRecord } from './transfer/record';
import { context } from './row-context';
import { evaluated, makeRun } from './run-maker';
import { sweepEntry } from './sweep-maker';

const ROOT = join(__dirname, '..', '..', '..');
const { contributes } = manifest;
const folder = temporaryFolders();

function sources(at = join(ROOT, 'src', 'extension')): string[] {
  return readdirSync(at, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? sources(join(at, e.name)) : [readFileSync(join(at, e.name), 'utf8')],
  );
}

/** Every string in the manifest with its key. */
function* strings(value: unknown, key = ''): Generator<{ key: string; text: string }> {
  if (typeof value === 'string') yield { key, text: value };
  else if (typeof value === 'object' && value !== null)
    for (const [k, v] of Object.entries(value)) yield* strings(v, Array.isArray(value) ? key : k);
}

const all = [...strings(manifest)];
const whens = all.filter((s) => s.key === 'when' || s.key === 'enablement').map((s) => s.text);

describe('the extension manifest', () => {
  it('declares exactly the commands of ids.ts, in a single category', () => {
    const declared = contributes.commands.map((c) => c.command);
    expect([...declared].sort()).toEqual(Object.values(COMMAND).sort());
    expect(new Set(contributes.commands.map((c) => c.category))).toEqual(new Set(['AuroRA']));
  });

  it('declares only commands that the code registers', () => {
    const code = sources().join('\n');
    const registered = (name: string) =>
      new RegExp(
        `\\b(registerCommand|registerGuarded|on|star)\\(\\s*([\\w.]+,\\s*)?COMMAND\\.${name}\\b\\s*,`,
      ).test(code);
    expect(Object.keys(COMMAND).filter((name) => !registered(name))).toEqual([]);
  });

  it('uses only commands that it declares', () => {
    const declared = new Set<string>(Object.values(COMMAND));
    const { commands, ...rest } = contributes;
    expect(commands.length).toBe(declared.size);
    const used = [
      ...[...strings(rest)].filter((s) => s.key === 'command').map((s) => s.text),
      ...Object.values(texts).flatMap((t) => [...t.matchAll(/command:(aurora\.\w+)/g)].map((m) => m[1])),
      ...all.flatMap((s) => [...s.text.matchAll(/onCommand:(aurora\.\w+)/g)].map((m) => m[1])),
    ];
    expect(used.length).toBeGreaterThan(40);
    expect(used.filter((c) => !declared.has(c))).toEqual([]);
  });

  it('has a text for every key and a use for every text', () => {
    const keys = all.flatMap((s) => /^%(.+)%$/.exec(s.text)?.[1] ?? []);
    expect([...new Set(keys)].sort()).toEqual(Object.keys(texts).sort());
  });

  it('uses only contexts that the code sets', () => {
    const own = whens.flatMap((w) => [...w.matchAll(/(?<![\w./])aurora\.\w+/g)].map((m) => m[0]));
    const known = new Set<string>([...Object.values(CONTEXT), ...Object.values(VIEW)]);
    expect(own.length).toBeGreaterThan(20);
    expect([...new Set(own)].filter((key) => !known.has(key))).toEqual([]);
    const onContext = all.flatMap((s) => /^onContext:(.+)$/.exec(s.text)?.[1] ?? []);
    expect(onContext.filter((key) => !known.has(key))).toEqual([]);
    const code = sources().join('\n');
    const unset = Object.keys(CONTEXT).filter((key) => !new RegExp(`CONTEXT\\.${key}\\b`).test(code));
    expect(unset).toEqual([]);
  });

  it('negates a match as VS Code reads it: it ignores a clause with !~', () =>
    expect(whens.filter((when) => when.includes('!~'))).toEqual([]));

  it('uses only the capabilities that rows have, and all of them', () => {
    const asked = contributes.menus['view/item/context'].flatMap((m) =>
      [...m.when.matchAll(/\\b(\w+)\\b/g)].map((w) => w[1]),
    );
    const kinds = [
      'run',
      'sweep',
      'experiment',
      'checkpoint',
      'adapter',
      'export',
      'queued',
      'interrupted',
      'trial',
      'trials',
    ];
    expect([...new Set(asked)].sort()).toEqual([...emitted()].filter((word) => !kinds.includes(word)).sort());
  });

  it('hides commands for a single row when several are selected', () => {
    const several = [
      'compareRuns',
      'openStudy',
      'compareSettings',
      'deleteRun',
      'starRun',
      'unstarRun',
      'editTags',
      'copyPath',
      'exportRun',
    ];
    const shown = contributes.menus['view/item/context'].filter(
      ({ when, group }) =>
        !/^inline/.test(group) && !/aurora\.models\b/.test(when) && !/!listMultiSelection/.test(when),
    );
    expect([...new Set(shown.map((m) => m.command))].sort()).toEqual(
      several.map((c) => `aurora.${c}`).sort(),
    );
  });

  it('offers on a page what the tree offers for a run', () => {
    const { 'view/item/context': tree, 'webview/context': page } = contributes.menus;
    const run = new Set(runRows().flatMap((row) => row.capabilities));
    const ofRun = tree.filter(
      ({ command, when, group }) =>
        !/^inline/.test(group) &&
        (/(copyPath|openInTerminal)$/.test(command) ||
          [...when.matchAll(/\\b(\w+)\\b/g)].some(([, word]) => run.has(word))),
    );
    const plain = ({ command, group, when }: (typeof tree)[number]) =>
      `${group} ${command} ${/listMultiSelection|auroraSeveral/.test(when) ? 'one' : 'several'}`;
    expect(page.map(plain).sort()).toEqual(ofRun.map(plain).sort());
  });

  it('activates the extension for everything that must exist after a reload', () => {
    expect(manifest.activationEvents).toEqual(
      expect.arrayContaining([
        'workspaceContains:**/*.aurora.json',
        ...PANELS.map((name) => `onWebviewPanel:aurora.${name}`),
        ...contributes.walkthroughs.map((w) => `onWalkthrough:${w.id}`),
      ]),
    );
    expect(manifest.activationEvents).not.toContain('*');
    // Commands and views activate the extension automatically, a language only if it has a configuration.
    expect(contributes.languages.find((l) => l.id === LANGUAGE)?.configuration).toBeTruthy();
  });

  it('has the same view and setting names as the code', () => {
    expect(contributes.views.aurora.map((v) => v.id)).toEqual(Object.values(VIEW));
    const settings = Object.keys(contributes.configuration.properties);
    expect(settings.sort()).toEqual(
      Object.values(SETTING)
        .map((s) => `aurora.${s}`)
        .sort(),
    );
  });

  it('describes each language model tool for the model, and for people', () => {
    const tools = contributes.languageModelTools;
    expect(tools.map((tool) => tool.name)).toEqual(Object.values(TOOL));
    for (const { name, toolReferenceName, modelDescription, inputSchema } of tools) {
      // VS Code ignores tools with other names.
      expect(`${name} ${toolReferenceName}`).toMatch(/^[\w-]+ [\w-]+$/);
      expect(modelDescription.length).toBeGreaterThan(100);
      for (const property of Object.values<{ description: string } | undefined>(inputSchema.properties))
        expect(property?.description).toBeTruthy();
    }
    expect(tools[0].inputSchema.properties.method!.enum).toEqual([...METHOD_ORDER, HEAD_ALONE.method]);
    // Tools name each other, as the next step.
    const named = [...sources(), ...tools.map((t) => t.modelDescription)].flatMap(
      (text) => text.match(/\baurora_[a-z_]+/g) ?? [],
    );
    expect(named.filter((name) => !Object.values<string>(TOOL).includes(name))).toEqual([]);
  });

  it('offers every engine and every device, each with a description', () => {
    const { 'aurora.engine': engine, 'aurora.device': device } = contributes.configuration.properties;
    expect(engine.enum).toEqual(Object.keys(ENGINES));
    expect([...device.enum].sort()).toEqual(['auto', ...new Set(Object.values(ENGINES).flat())].sort());
    expect(device.markdownEnumDescriptions).toEqual(device.enum.map((d) => `%setting.device.${d}%`));
  });

  it('refers only to existing files', () => {
    const files = all.filter((s) => /^(\.\/)?media\//.test(s.text)).map((s) => s.text);
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((f) => !existsSync(join(ROOT, f)))).toEqual([]);
  });

  it('prevents anything from running in an untrusted workspace', () => {
    expect(manifest.capabilities.untrustedWorkspaces.supported).toBe('limited');
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toContain('aurora.nodePath');
    expect(manifest.capabilities.virtualWorkspaces).toBe(false);
    const run = entryOf('stopped');
    const words = runRow(run, { ...context, trusted: false }).capabilities;
    for (const word of ['canResume', 'canFork', 'canExport']) expect(words).not.toContain(word);
  });
});

function entryOf(state: RunEntry['state'], star = false): RunEntry {
  const run = makeRun(join(folder(), 'demo.aurora.json'), {
    events: [evaluated(40, 0.8), { kind: 'checkpoint', step: 40, path: 'checkpoints/step-000040' }],
    status: {},
  });
  return { folder: run, id: 'x', experiment: '', state, run: readRunSummary(run), user: { star } };
}

function runRows() {
  const states = ['starting', 'running', 'finished', 'stopped', 'failed', 'lost', 'damaged'] as const;
  return [
    ...states.flatMap((s) => [true, false].map((star) => runRow(entryOf(s, star), context))),
    runRow({ ...entryOf('queued'), cluster: ON_CLUSTER }, context),
  ];
}

/** Every context value that a row can have. */
const ON_CLUSTER = { executor: 'slurm', state: 'queued', job: '1_0', log: '/w/1_0.log' } as const;

function emitted(): Set<string> {
  const rows = [
    ...runRows(),
    ...[true, false].map((exists) =>
      experimentRow({ name: 'e', exists, runs: [], hasSweep: true }, 0, '', context),
    ),
    ...(['running', 'stopped'] as const).map((state) => sweepRow(sweepEntry(state), [], context)),
    checkpointRow(entryOf('finished'), 40, context),
    adapterRow('best', 1000, context),
    exportRow(exportRecord(), context),
    queuedRow('AuroRA r2', { kind: 'run', position: 1, held: 'earlier' }, context),
    interruptedRow(entryOf('stopped'), false, context),
    trialRow({ label: 'Trial 1', cluster: ON_CLUSTER }, context),
  ];
  return new Set(rows.flatMap((r) => r.capabilities));
}
