import type { StudySettings } from '../../study/study-messages';

/** A run whose folder the worker reads. */
export interface AskedRun {
  folder: string;
  name: string;
  /** Another one whenever the run has changed; undefined if the run cannot be read. */
  version?: number;
}

/** A study of these runs: the content of its page or, if it has a title, the files of its report by their path. */
export interface AskedStudy {
  runs: AskedRun[];
  settings: StudySettings;
  title?: string;
}

export interface StudyWorkerData {
  /** The translations into the editor's language. */
  l10n: Record<string, string>;
}
