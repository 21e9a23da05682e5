import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contributing, declaredManifest } from '../../../../scripts/lib/manifest.mjs';
import { ENGINES } from '../../../../src/engine/place';
import { CONTEXT, LANGUAGE } from '../../../../src/extension/ids';
import type { RunEntry } from '../../../../src/extension/runs/store';
import { adapterRow, checkpointRow, exportRow } from '../../../../src/extension/tree/artifacts';
import { experimentRow, interruptedRow } from '../../../../src/extension/tree/experiment-row';
import { queuedRow } from '../../../../src/extension/queue/queued-row';
import { claimRow } from '../../../../src/extension/words/claim-row';
import { sweepRow } from '../../../../src/extension/words/sweep-row';
import { trialRow } from '../../../../src/extension/words/cluster/trial-row';
import { runRow } from '../../../../src/extension/words/run-row';
import manifest from '../../../../package.json';
import texts from '../../../../package.nls.json';
import { readRunSummary } from '../../../../src/runs/run-summary';
import { temporaryFolders } from '../../runs/folder';
import { exportRecord } from '../transfer/record';
import { context } from '../row-context';
import { evaluated, makeRun } from '../run-maker';
import { sweepEntry } from '../sweep-maker';

const ROOT = join(__dirname, '..', '..', '..', '..');
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
  it('is what the code declares; npm run build writes it', async () => {
    const { sections, texts: declared } = await declaredManifest();
    const { displayName, description, activationEvents, capabilities, contributes } = manifest;
    expect({ displayName, description, activationEvents, capabilities, contributes }).toEqual(sections);
    expect(texts).toEqual(declared);
  });

  it('declares each command in the file that registers it', () => {
    const files = contributing().map((path) => readFileSync(join(ROOT, path), 'utf8'));
    const names = contributes.commands.map(({ command }) => command.replace('aurora.', ''));
    const apart = names.filter((name) => {
      const declared = new RegExp(`^ {4}${name}: \\{$`, 'm');
      const registered = new RegExp(
        `\\b(registerGuarded|on|star)\\(\\s*([\\w.]+,\\s*)?COMMAND\\.${name}\\b\\s*,`,
      );
      return !files.some((text) => declared.test(text) && registered.test(text));
    });
    expect(names.length).toBeGreaterThan(40);
    expect(apart).toEqual([]);
  });

  it('links only to commands that it declares', () => {
    const declared = new Set(contributes.commands.map(({ command }) => command));
    const links = Object.values(texts).flatMap((t) =>
      [...t.matchAll(/command:(aurora\.\w+)/g)].map((m) => m[1]),
    );
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((command) => !declared.has(command))).toEqual([]);
  });

  it('uses only contexts that the code sets', () => {
    const own = whens.flatMap((w) => [...w.matchAll(/(?<![\w./])aurora\.\w+/g)].map((m) => m[0]));
    const known = new Set<string>([...Object.values(CONTEXT), ...contributes.views.aurora.map((v) => v.id)]);
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
      'claim',
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

  it('offers on a page what the tree offers for a run', () => {
    const { 'view/item/context': tree, 'webview/context': page } = contributes.menus;
    const run = new Set(runRows().flatMap((row) => row.capabilities));
    const ofRun = tree.filter(
      ({ command, when, group }) =>
        !/^inline/.test(group) &&
        !/\/\^\((?!.*\brun\b)/.test(when) &&
        (/(copyPath|openInTerminal)$/.test(command) ||
          [...when.matchAll(/\\b(\w+)\\b/g)].some(([, word]) => run.has(word))),
    );
    const plain = ({ command, group, when }: (typeof tree)[number]) =>
      `${group} ${command} ${/listMultiSelection|auroraSeveral/.test(when) ? 'one' : 'several'}`;
    expect(page.map(plain).sort()).toEqual(ofRun.map(plain).sort());
  });

  it('activates the extension in a workspace with experiments, and not in every window', () => {
    expect(manifest.activationEvents).toContain('workspaceContains:**/*.aurora.json');
    expect(manifest.activationEvents).not.toContain('*');
    // Commands and views activate the extension automatically, a language only if it has a configuration.
    expect(contributes.languages.find((l) => l.id === LANGUAGE)?.configuration).toBeTruthy();
  });

  it('declares only views that the code creates', () => {
    const code = sources().join('\n');
    const views = contributes.views.aurora.map((view) => view.id);
    expect(views.filter((id) => !code.includes(`'${id}'`))).toEqual([]);
  });

  it('describes each language model tool for the model, which knows no other', () => {
    const tools = contributes.languageModelTools;
    for (const { name, toolReferenceName, canBeReferencedInPrompt, modelDescription } of tools) {
      // VS Code ignores tools with other names.
      expect(`${name} ${toolReferenceName}`).toMatch(/^[\w-]+ [\w-]+$/);
      expect(canBeReferencedInPrompt).toBe(true);
      expect(modelDescription.length).toBeGreaterThan(100);
    }
    expect(new Set(tools.map((tool) => tool.toolReferenceName)).size).toBe(tools.length);
    const page = readFileSync(join(ROOT, 'docs', 'agents.md'), 'utf8');
    const listed = [...page.matchAll(/^\| `(aurora_\w+)` \| `#(\w+)` \|/gm)].map((m) => `${m[1]} ${m[2]}`);
    expect(listed.sort()).toEqual(tools.map((tool) => `${tool.name} ${tool.toolReferenceName}`).sort());
    // Tools name each other, as the next step.
    const names = tools.map((tool) => tool.name);
    const texts = ['tools', 'protocol/tools'].flatMap((path) => sources(join(ROOT, 'src', path)));
    const named = texts.flatMap((text) => text.match(/\baurora_[a-z_]+/g) ?? []);
    expect(named.length).toBeGreaterThan(names.length);
    expect(named.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('offers every engine and every device', () => {
    const { 'aurora.engine': engine, 'aurora.device': device } = contributes.configuration.properties;
    expect(engine.enum).toEqual(Object.keys(ENGINES));
    expect([...device.enum].sort()).toEqual(['auto', ...new Set(Object.values(ENGINES).flat())].sort());
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
      experimentRow({ name: 'e', exists, runs: [], hasSweep: true, hasClaim: true }, 0, '', context),
    ),
    ...(['running', 'stopped', 'closed'] as const).map((state) =>
      claimRow(
        { folder: '/w/.aurora/claims/e/c0ffee123456', experiment: '/w/e.aurora.json', state },
        [],
        [],
        context,
      ),
    ),
    ...(['running', 'stopped'] as const).map((state) => sweepRow(sweepEntry(state), [], context)),
    checkpointRow(entryOf('finished'), 40, context),
    adapterRow('best', 1000, context),
    exportRow(exportRecord()),
    queuedRow('AuroRA r2', { kind: 'run', position: 1, held: 'earlier' }, context),
    interruptedRow(entryOf('stopped'), false, context),
    trialRow({ label: 'Trial 1', cluster: ON_CLUSTER }, context),
  ];
  return new Set(rows.flatMap((r) => r.capabilities));
}
