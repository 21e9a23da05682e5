import type { PreflightProblem } from '../protocol/preflight';
import type { StudyRun } from './run';
import type { Study } from './study';

/** The output of `aurora study --json`, one JSON object per line. Readers ignore unknown kinds. */
export type StudyLine =
  /** Run `run` of `runs` is being processed; `what` is the current action. */
  | { kind: 'measuring'; what: 'geometry' | 'examples' | 'merged'; name: string; run: number; runs: number }
  | { kind: 'result'; study: Study; out?: string }
  | PreflightProblem;

/** Without the results of each validation example, which are large and no longer needed. */
export const plainStudy = (study: Study): Study => ({
  ...study,
  sections: study.sections.map((s) => ({
    ...s,
    groups: s.groups.map((g) => ({ ...g, runs: g.runs.map(plainRun) })),
  })),
});

const plainRun = (run: StudyRun): StudyRun => ({
  ...run,
  examples: undefined,
  ...(run.test && { test: { ...run.test, examples: undefined } }),
});
