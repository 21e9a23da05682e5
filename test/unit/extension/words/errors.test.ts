import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { editorHint, shortPaths } from '../../../../src/extension/words/error-text';
import { endNotice } from '../../../../src/extension/words/end-text';
import { errorOf } from '../../../../src/extension/words/run-error';
import { COMMAND } from '../../../../src/extension/ids';
import { factsOf } from '../../../../src/extension/panels/run/run-feed';
import { nextSteps } from '../../../../src/extension/words/next-step';
import { runRow } from '../../../../src/extension/words/run-row';
import type { NewEvent } from '../../../../src/protocol/events';
import { readRunSummary } from '../../../../src/runs/run-summary';
import { RunTail } from '../../../../src/runs/run-tail';
import { temporaryFolders } from '../../runs/folder';
import { context } from '../row-context';
import { makeRun, started } from '../run-maker';

const folder = temporaryFolders();

describe('a path in a message', () => {
  const short = (text: string) => shortPaths(text, ['/home/me/my work', '/home/me', 'C:\\Users\\me']);

  it('is the name of its file, also in a folder whose name has spaces', () => {
    expect(short('/home/me/my work/data/train.csv has no column "label".')).toBe(
      'train.csv has no column "label".',
    );
    expect(short('Saved to /home/me/x/run-1. Resume it.')).toBe('Saved to run-1. Resume it.');
    expect(short('"/home/me/a.json" and /home/me/b.json: bad')).toBe('"a.json" and b.json: bad');
    expect(short('C:\\Users\\me\\data\\a.csv is empty.')).toBe('a.csv is empty.');
  });

  it('is the path from a folder of data, whose images share names', () => {
    const text = 'The image /home/me/photos/cats/1.jpg does not exist; see /home/me/photos/train.csv:3.';
    expect(shortPaths(text, ['/home/me/photos', '/home/me'], ['/home/me/photos'])).toBe(
      'The image cats/1.jpg does not exist; see train.csv:3.',
    );
  });

  it('stays if it is something else', () => {
    const others = [
      'No gradient rule for Det (node "/encoder/layer.0/Det").',
      'See https://example.org/home/me/x.',
      '/home/meadow/a.csv is not below a known folder.',
    ];
    for (const text of others) expect(short(text)).toBe(text);
  });
});

describe('a hint in the editor', () => {
  /** Every hint of the programs that speaks of a command or an option. */
  const hints = (at: string): string[] =>
    readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
      const path = join(at, entry.name);
      if (entry.isDirectory()) return hints(path);
      const text = readFileSync(path, 'utf8').replace(/^\s*(\*|\/\/|\/\*).*$/gm, '');
      return [...text.matchAll(/'([A-Z][^'\n]*(?:`aurora |--[a-z])[^'\n]*)'/g)].map((m) => m[1]!);
    });

  it('names nothing that can only be typed into a terminal', () => {
    const found = [
      'engine',
      'training/checkpoint',
      'training/device',
      'training/inputs',
      'sweeps',
      'graph/autodiff',
    ]
      .flatMap((room) => hints(join('src', room)))
      .concat('Training stopped, and its state is saved: resume it with `aurora train --resume /a/b`.');
    expect(found.length).toBeGreaterThan(8);
    const left = found.map(editorHint).filter((text) => /`aurora |--[a-z]/.test(text));
    expect(left).toEqual([]);
  });
});

const nextStep = (...args: Parameters<typeof nextSteps>) => nextSteps(...args)[0];

describe('a run that failed', () => {
  const failed = (error: string, message: string, hint?: string, step = 3, before: NewEvent[] = []) => {
    const work = folder();
    const run = makeRun(join(work, 'demo.aurora.json'), {
      events: [
        ...before,
        started,
        { kind: 'failed', step, error, message: message.replace('WORK', work), hint } as never,
      ],
      status: { state: 'failed', step },
    });
    const experiment = join(work, 'demo.aurora.json');
    return { folder: run, id: 'r', experiment, state: 'failed' as const, user: {}, run: readRunSummary(run) };
  };

  it('says the reason first, without paths', () => {
    const entry = failed(
      'labels',
      'WORK/train.csv has no column "label"; it has "text".',
      'Set data.labelColumn.',
    );
    expect(endNotice(entry).message).toMatch(
      /^train\.csv has no column "label"; it has "text"\. Set data\.labelColumn\. demo \(.*\) failed at step 3\.$/,
    );
    expect(runRow(entry, context).description).toMatch(
      /^train\.csv has no column "label"; it has "text" · failed at step 3/,
    );
  });

  it('explains a lost run by the signal and the model that was changed', () => {
    const end = { signal: 'SIGBUS', model: { path: '/models/m.onnx', before: 9000, after: 10 } };
    const entry = { ...failed('x', 'x.'), state: 'lost' as const, end };
    const why = 'the model m.onnx was changed while it was read (SIGBUS): it has 10 bytes instead of 9,000';
    expect(endNotice(entry).message).toMatch(/^The trainer of demo \(.*\) ended unexpectedly at step 3: /);
    expect(endNotice(entry).message).toContain(`${why}. Put the model back as it was`);
    expect(runRow(entry, context).description).toContain(`lost at step 3 · ${why}`);
    expect(errorOf(entry)?.message).toBe(`Its trainer ended unexpectedly: ${why}.`);
    const unknown = { ...entry, end: {} };
    expect(endNotice(unknown).message).toMatch(/ended unexpectedly at step 3\.$/);
    expect(runRow(unknown, context).description).toMatch(/^lost at step 3( · [^:]+)?$/);
    expect(errorOf(unknown)?.message).toContain('it was killed, or its machine was switched off');
  });

  it('offers the next step that the editor can take', () => {
    expect(nextStep(failed('labels', 'x.'))).toMatchObject({ title: 'Open Experiment' });
    expect(nextStep(failed('device', 'x.'))).toMatchObject({ title: 'Check This Machine' });
    expect(nextStep(failed('diverged', 'x.'))).toMatchObject({ title: 'Fork' });
    expect(nextStep(failed('disk', 'x.'))).toMatchObject({ title: 'Resume' });
    expect(nextStep({ ...failed('disk', 'x.'), state: 'finished' })).toBeUndefined();
  });

  it('by its data can be run again from the notification, once they are corrected', () => {
    const titles = (...of: Parameters<typeof failed>) => nextSteps(failed(...of)).map((s) => s.title);
    expect(titles('data', 'x.', undefined, 0)).toEqual(['Open Experiment', 'Run Again']);
    // The trained adapter is not lost.
    expect(titles('data', 'x.', undefined, 3)).toEqual(['Open Experiment']);
  });

  it('before its first step is run again, not resumed: there is nothing to continue', async () => {
    const entry = failed('disk', 'x.', undefined, 0);
    expect(nextStep(entry)).toEqual({
      title: 'Run Again',
      command: COMMAND.runExperiment,
      argument: entry.experiment,
    });
    expect(runRow(entry, context).capabilities).not.toContain('canResume');
    const tail = new RunTail(entry.folder);
    await tail.look();
    expect(factsOf(tail), 'on its dashboard').toMatchObject({ canResume: false, canRunAgain: true });
    // The settings of these are not in the file.
    expect(
      nextStep({ ...entry, trial: { sweep: 's', trial: 't', number: 1, settings: {} } }),
    ).toBeUndefined();
    const fork: NewEvent = { kind: 'forked', fromRun: 'r', fromStep: 0, changed: [] };
    expect(nextStep(failed('disk', 'x.', undefined, 0, [fork]))).toBeUndefined();
    // It failed when it was resumed.
    const saved: NewEvent = { kind: 'checkpoint', step: 40, path: 'checkpoints/step-000040' };
    expect(nextStep(failed('disk', 'x.', undefined, 0, [saved]))).toMatchObject({ title: 'Resume' });
  });
});

it('a hint about a proxy names the setting once', () => {
  expect(editorHint('Behind a proxy, set "http.proxy" in VS Code, or HTTPS_PROXY in a terminal.')).toBe(
    'Behind a proxy, set "http.proxy" in the settings.',
  );
  const both =
    'Set "http.proxy" in VS Code, or HTTP_PROXY and HTTPS_PROXY in a terminal, to http://HOST:PORT.';
  expect(editorHint(both)).toBe('Set "http.proxy" in the settings to http://HOST:PORT.');
});
