import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planText } from '../../../src/cli/commands/sweep/sweep-plan';
import { diagnosticsText } from '../../../src/extension/commands/runs/diagnostics-text';
import { addVerifyLine } from '../../../src/protocol/reports/verify-report';
import { editorHint } from '../../../src/extension/words/error-text';
import { parsePreflightLine, preflightMarkdown } from '../../../src/tools/preflight-lines';
import { addPreflightLine } from '../../../src/protocol/reports/preflight-report';
import { programError } from '../../../src/executors/local/program';
import { parseGpuEvent } from '../../../src/extension/words/gpu-text';
import { parseRunMessage, parseRunOpen } from '../../../src/protocol/panels/run';
import { Catalog } from '../../../src/extension/runs/catalog';
import {
  downloadEnvironment,
  hubEnvironment,
  trainerEnvironment,
} from '../../../src/extension/launcher/environment';
import { sortRuns } from '../../../src/extension/runs/run-sort';
import { matchesFilter } from '../../../src/extension/tree/arrange';
import { runDetails } from '../../../src/extension/words/run-details';
import { runRow } from '../../../src/extension/words/run-row';
import { sweepRow } from '../../../src/extension/words/sweep-row';
import { evaluationsCsv, recordsCsv } from '../../../src/runs/records-csv';
import { settingChanges } from '../../../src/runs/experiment/setting-changes';
import { createFolder, experimentSweeps, runPaths } from '../../../src/runs/layout';
import { readRun } from '../../read-run';
import { studyRun } from '../../../src/runs/run-in-study';
import { lookAtTrial } from '../../../src/runs/sweep/look';
import { checkSweep, readSweep, sweepPaths, trialOf } from '../../../src/runs/sweep/record';
import { listTrash, restoreRun, trashOf, trashRun } from '../../../src/runs/trash';
import { changeUser, userOf } from '../../../src/runs/user';
import { parseExamples } from '../../../src/protocol/activation-examples';
import { parseActivationsMessage } from '../../../src/protocol/panels/activations';
import { parseBudgetMessage, parseBudgetOpen } from '../../../src/protocol/panels/budget';
import { parseErrorsMessage, parseErrorsOpen } from '../../../src/protocol/panels/errors';
import { parsePlaygroundMessage, parsePlaygroundOpen } from '../../../src/protocol/panels/playground';
import { parseStudyMessage, parseStudyOpen } from '../../../src/study/study-messages';
import { parsePlayLine, parsePlayRequest } from '../../../src/protocol/playground';
import { parsePredictions } from '../../../src/protocol/predictions';
import { sortedJson } from '../../../src/base/sorted-json';
import { reportFiles } from '../../../src/study/study-report';
import { studyOf } from '../../../src/study/study';
import { trialText } from '../../../src/experiment/run-names';
import { context } from '../extension/row-context';
import { evaluated, finished, makeRun, started } from '../extension/run-maker';
import { sweepEntry } from '../extension/sweep-maker';
import { temporaryFolders } from '../runs/folder';
import { eachHandled, handled, HOSTILE, json, name, object } from './names';

const makeFolder = temporaryFolders();

/** A JSON value as text, with the given keys added to each of its objects. */
function haunted(value: unknown, entries: readonly (readonly [string, string])[]): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((v) => haunted(v, entries)).join(',')}]`;
  const own = Object.entries(value).filter(([, v]) => v !== undefined);
  return object([...own.map(([k, v]): [string, string] => [k, haunted(v, entries)]), ...entries]);
}

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const hauntFile = (path: string, entries: readonly (readonly [string, string])[]): void =>
  writeFileSync(
    path,
    readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => haunted(JSON.parse(line), entries))
      .map((line) => `${line}\n`)
      .join(''),
  );

describe('names of inherited members in run folders', () => {
  it('are handled as keys of every file by trees, studies and exported tables', () =>
    eachHandled(
      'run',
      fc.array(fc.tuple(name, json), { minLength: 1, maxLength: 3 }),
      async (entries) => {
        const file = join(makeFolder(), 'x.aurora.json');
        writeFileSync(file, object(entries));
        const events = [
          { ...started, labels: [...HOSTILE], modules: [...HOSTILE] },
          evaluated(40, 0.5),
          finished(120, 0.75),
        ];
        const result = { steps: 120, environment: { auroraLab: '1' }, last: { accuracy: 0.75 } };
        const run = makeRun(file, { events, status: { state: 'finished' }, result });
        const paths = runPaths(run);
        const spec = read(paths.spec);
        writeFileSync(paths.spec, haunted(spec, entries));
        writeFileSync(paths.user, object(entries));
        writeFileSync(paths.trial, haunted({ sweep: 's', trial: 't', number: 1, settings: {} }, entries));
        for (const path of [paths.events, paths.result, paths.status]) hauntFile(path, entries);
        changeUser(run, { star: true });
        trialOf(run);

        const sweep = createFolder(join(experimentSweeps(file), '1a2b3c4d'));
        const { record } = sweepEntry('running');
        const keys = entries.map(([key]) => key);
        writeFileSync(sweepPaths(sweep).sweep, haunted({ ...record, varied: keys }, entries));
        const swept = readSweep(sweep)!;
        const views = swept.trials.map((trial) => lookAtTrial(trial, run));
        const room = { parallel: 1, threads: 1, engine: 'onnxruntime', device: 'cpu' };
        planText({ ...swept, room }, views);
        swept.trials.forEach((trial) => trialText(trial.settings, keys));
        trialText({}, [...HOSTILE]);

        const catalog = new Catalog();
        catalog.setPlaces([file], []);
        await catalog.look();
        const [listed] = catalog.experiments();
        expect(listed.runs).toHaveLength(1);
        for (const entry of sortRuns(listed.runs, 'metric')) {
          runRow(entry, context);
          runDetails(entry, 'en');
          matchesFilter(entry, file, 'constructor');
          diagnosticsText({ versions: JSON.parse(object([])) as never, run: entry, home: '/home' });
        }
        listed.sweeps.forEach((s) => sweepRow(s, listed.runs, context));

        const whole = readRun(run);
        evaluationsCsv(whole.events);
        settingChanges(spec as never, whole.spec);
        sortedJson(whole.spec);
        const study = studyOf([await studyRun(whole, '__proto__')], { against: keys[0] });
        reportFiles(study, keys[0]);

        const trashed = await trashRun(run);
        expect(await listTrash(trashOf(run))).toHaveLength(1);
        await restoreRun(trashed);
      },
      40,
    ));

  it('are handled as columns of a curve', () =>
    eachHandled('curve', fc.uniqueArray(name, { minLength: 1 }), async (columns) => {
      const csv = await recordsCsv(columns, new Float64Array(columns.length));
      expect(csv.split('\n')[0]).toBe(columns.join(','));
    }));
});

describe('names of inherited members in messages', () => {
  const type = fc.oneof(
    name,
    fc.constantFrom('ready', 'snapshot', 'action', 'export', 'settings', 'fields', 'predict', 'generate'),
    fc.constantFrom('data', 'problem', 'setup', 'ran', 'result', 'answer', 'device', 'open'),
  );
  const message = fc
    .tuple(
      fc.oneof({ weight: 4, arbitrary: type.map((k) => JSON.stringify(k)) }, json),
      fc.array(fc.tuple(fc.oneof(name, fc.constantFrom('run', 'runs', 'settings', 'text')), json)),
    )
    .map(([kind, entries]) => object([['type', kind], ['kind', kind], ...entries]));

  it('are handled in messages of pages, programs and files', () =>
    eachHandled('message', fc.oneof(message, json), async (text) => {
      const value: unknown = JSON.parse(text);
      for (const parse of [
        parseActivationsMessage,
        parseBudgetMessage,
        parseBudgetOpen,
        parseErrorsMessage,
        parseErrorsOpen,
        parsePlaygroundMessage,
        parsePlaygroundOpen,
        parseStudyMessage,
        parseStudyOpen,
        parseRunMessage,
        parseRunOpen,
        userOf,
      ])
        parse(value);
      await handled('play request', () => parsePlayRequest(text));
      parsePlayLine(text);
      parsePreflightLine(text, editorHint);
      parseGpuEvent(text);
      programError({ code: 1, stdout: '', stderr: text }, 'train');
      await handled('predictions', () => parsePredictions('p.json', text));
      await handled('sweep', () => checkSweep('sweep.json', value));
      await handled('examples', () => parseExamples(value));
    }));

  it('are handled as labels of a preflight and a verification', () => {
    const counts = JSON.parse(object(HOSTILE.map((label) => [label, '3']))) as Record<string, number>;
    const split = (labels: object) => ({
      path: 'train.csv',
      examples: 3,
      tokens: { min: 1, median: 1, mean: 1, p90: 1, p99: 1, max: 1 },
      truncated: 0,
      badRows: { count: 0, first: [] },
      labels,
    });
    const none = { count: 0, first: [] };
    const line = {
      kind: 'data',
      labels: [...HOSTILE],
      train: split(counts),
      // A label that a split lacks counts as 0 and not as an inherited member.
      validation: split({}),
      duplicates: { acrossSplits: none, withinTrain: 0, conflicts: none },
    };
    const report = { steps: [], problems: [] };
    addPreflightLine(report, parsePreflightLine(JSON.stringify(line), editorHint)!);
    const markdown = preflightMarkdown('x', report);
    expect(markdown).not.toMatch(/function|native|NaN/);
    addVerifyLine({ ran: [] }, { kind: 'problem', message: 'constructor' } as never);
  });

  it('are handled as environment variables', () =>
    eachHandled('environment', fc.array(fc.tuple(name, name)), (variables) => {
      const from = JSON.parse(object(variables.map(([k, v]) => [k, JSON.stringify(v)]))) as NodeJS.ProcessEnv;
      expect(Object.keys(trainerEnvironment(from))).toEqual([]);
      expect(Object.keys(hubEnvironment(from, undefined))).toEqual([]);
      const proxies = { support: 'override', proxy: '__proto__', noProxy: ['constructor'] };
      expect(Object.keys(downloadEnvironment(from, proxies))).toHaveLength(3);
    }));
});
