import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRunSummary } from '../../../src/runs/run-summary';
import { studyRun as readStudyRun } from '../../../src/runs/run-in-study';
import { studyOf } from '../../../src/study/study';
import { reportFiles } from '../../../src/study/study-report';
import { sectionNotes } from '../../../src/study/study-words';
import { evaluated, finished, makeRun, spec, started } from '../extension/run-maker';
import { temporaryFolders } from '../runs/folder';
import { aurora, lora, studyRun } from './runs';

const folder = temporaryFolders();
const NO_STEP = 'so that no step is chosen on the set that it is evaluated on';

/** The cells of a CSV line, in which quoted ones may contain commas. */
const cells = (line: string): string[] => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/);

describe('a step chosen on the set it is judged on', () => {
  const runs = [
    studyRun(lora(), 1, 0.6),
    studyRun(aurora(), 1, 0.65, {
      training: { earlyStopping: { patience: 2, minDelta: 0 } },
      chosenBy: ['early-stopping'],
    }),
    studyRun(aurora({ rank: 4 }), 1, 0.66, { chosenBy: ['halving'] }),
  ];
  const study = studyOf(runs, {});
  const [early, halved] = [1, 2].map(
    (i) => study.sections[0].groups.find((g) => g.runs.includes(runs[i]))!.label,
  );

  it('is pointed out in the notes, which the view shows too', () => {
    const notes = sectionNotes(study.sections[0], study).join('\n');
    expect(notes).not.toContain(NO_STEP);
    expect(notes).toContain(
      `With early stopping, that step was chosen on this same validation set, so these numbers are slightly optimistic: ${early}.`,
    );
    expect(notes).toContain(`so these numbers are slightly optimistic: ${halved}.`);
    const plain = studyOf(runs.slice(0, 1), {});
    expect(sectionNotes(plain.sections[0], plain)[0]).toContain(NO_STEP);
  });

  it('is pointed out in the report and both CSV files', () => {
    const files = reportFiles(study, 'study');
    expect(files.get('report.md')).toContain('With early stopping, that step was chosen');
    for (const name of ['runs.csv', 'groups.csv']) {
      const [head, ...rows] = files.get(name)!.trim().split('\r\n');
      const column = cells(head).indexOf('chosen_on_validation');
      expect(rows.map((r) => cells(r)[column]).sort()).toEqual(['', 'early-stopping', 'halving']);
    }
  });

  it('is detected from the settings and the journal of a run folder', async () => {
    const run = makeRun(join(folder(), 'a.aurora.json'), {
      spec: { ...spec, training: { ...spec.training, earlyStopping: { patience: 2, minDelta: 0 } } },
      events: [
        started,
        evaluated(40, 0.5),
        { kind: 'stopped', step: 40, reason: 'rung' },
        { kind: 'resumed', fromStep: 40, pid: 1, warnings: [] },
        evaluated(80, 0.6),
        finished(80, 0.6),
      ],
      result: { last: {} },
    });
    expect(await readStudyRun(readRunSummary(run), 'a')).toMatchObject({
      chosenBy: ['early-stopping', 'halving'],
    });
  });
});
