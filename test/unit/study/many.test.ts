import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { flatSettings } from '../../../src/experiment/differing-settings';
import { changedInputs, FilesNow } from '../../../src/runs/inputs';
import { labelsOf } from '../../../src/study/labels';
import { reportFiles } from '../../../src/study/study-report';
import { MOST_SHOWN, shownOf } from '../../../src/study/shown';
import { studyOf } from '../../../src/study/study';
import { leftOutWords, sectionNotes } from '../../../src/study/study-words';
import { aurora, lora, studyRun } from './runs';

/** Trials of a search: settings that no two have in common, the better the later. */
const trials = (n: number) =>
  Array.from({ length: n }, (_, i) => studyRun(aurora({ alpha: i + 1 }), 1, 0.5 + i / (4 * n)));

describe('a study of thousands of runs', () => {
  it('reads the settings of each group once to name it, however many there are', () => {
    let reads = 0;
    class Counted extends Map<string, string> {
      override [Symbol.iterator]() {
        reads++;
        return super[Symbol.iterator]();
      }
    }
    const runs = trials(500);
    const labels = labelsOf(
      runs.map(({ spec }) => ({ settings: new Counted(flatSettings(spec)), adapter: spec.adapter })),
    );
    expect(new Set(labels.map((l) => l.label)).size).toBe(500);
    expect(reads).toBe(500);
  });

  it('shows the best groups and the one that they are compared with, and keeps all in the report’s tables', () => {
    const reference = studyRun(lora(), 1, 0.4);
    const study = studyOf([reference, ...trials(MOST_SHOWN + 50)], {});
    const [section] = shownOf(study).sections;
    expect(section.groups).toHaveLength(MOST_SHOWN + 1);
    expect(section.groups.map((g) => g.label)).toContain(study.sections[0].reference);
    const means = section.groups.map((g) => g.metrics.accuracy.mean);
    // The worst fifty of the search are missing, though the reference is worse.
    expect(means.filter((m) => m >= 0.5).every((m) => m >= 0.5 + 50 / (4 * (MOST_SHOWN + 50)))).toBe(true);
    expect(section.comparisons).toHaveLength(MOST_SHOWN);
    expect(sectionNotes(section, study)[0]).toBe(
      `Of ${MOST_SHOWN + 51} groups, the ${MOST_SHOWN} best by accuracy are shown, and the one that they are compared with. The report’s groups.csv has all of them.`,
    );
    const csv = reportFiles(study, 'Study').get('groups.csv')!;
    expect(csv.trimEnd().split('\n')).toHaveLength(1 + MOST_SHOWN + 51);
  });

  it('shows a smaller study as it is', () => {
    const study = studyOf(trials(3), {});
    expect(shownOf(study)).toEqual(study);
  });

  it('counts runs that are excluded for the same reason instead of naming thousands', () => {
    const unfit = Array.from({ length: 300 }, (_, i) => ({
      ...{ folder: `/runs/${i}`, name: `run ${i}`, why: 'unfinished' as const },
    }));
    const damaged = { folder: '/runs/x', name: 'x', why: 'damaged' as const };
    expect(leftOutWords({ leftOut: [...unfit, damaged] })).toEqual([
      '300 runs are excluded: not finished.',
      'x is excluded: cannot be read.',
    ]);
  });

  it('looks once at the files that all of them were trained on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aurora-many-'));
    try {
      const path = join(folder, 'train.jsonl');
      writeFileSync(path, 'one');
      const file = { role: 'train' as const, path, size: 3, sha256: '0'.repeat(64) };
      const now = new FilesNow();
      const first = await changedInputs([file], { now });
      writeFileSync(path, 'two');
      utimesSync(path, 1, 1);
      expect(await changedInputs([file], { now })).toEqual(first);
      expect(await changedInputs([file])).not.toEqual(first);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
