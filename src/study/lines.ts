import type { PreflightProblem } from '../protocol/preflight';
import type { Study } from './study';

/** What `aurora study --json` prints, one JSON object a line. Readers pass over kinds they do not know. */
export type StudyLine =
  /** Run `run` of `runs` is looked at; `what` is what is done with it. */
  | { kind: 'measuring'; what: 'geometry' | 'examples' | 'merged'; name: string; run: number; runs: number }
  | { kind: 'result'; study: Study; out?: string }
  | PreflightProblem;

/** Without what each validation example came to, which is much and has served its purpose. */
export const plainStudy = (study: Study): Study => ({
  ...study,
  sections: study.sections.map((s) => ({
    ...s,
    groups: s.groups.map((g) => ({ ...g, runs: g.runs.map((r) => ({ ...r, examples: undefined })) })),
  })),
});
