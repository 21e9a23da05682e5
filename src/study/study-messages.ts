import { isMetric, type MetricName } from '../experiment/metrics';
import type { PageStudy } from './page-study';

/** Messages between the Study page and its host: all runs of an experiment, or those that were selected. */
export type StudyOpen = { experiment: string } | { runs: string[] };

export type StudyFromHost =
  /** Everything; resent on every change. With nothing to compare, `sections` is empty. */
  { type: 'study'; title: string; study: PageStudy } | { type: 'error'; message: string };

/** The user's view settings, stored by the page. */
export interface StudySettings {
  metric?: MetricName;
  against?: string;
}

export type StudyFromPage =
  | { type: 'settings'; settings: StudySettings }
  | { type: 'measure' }
  | { type: 'export' }
  | { type: 'copy'; text: string };

/** Validates a message from the page; undefined if invalid. */
export function parseStudyMessage(value: unknown): StudyFromPage | undefined {
  const { type, text, settings } = (value ?? {}) as Record<string, unknown>;
  if (type === 'measure' || type === 'export') return { type };
  if (type === 'copy' && typeof text === 'string') return { type, text };
  if (type !== 'settings' || typeof settings !== 'object' || settings === null) return undefined;
  const { metric, against } = settings as Record<string, unknown>;
  return {
    type,
    settings: {
      ...(isMetric(metric) && { metric }),
      ...(typeof against === 'string' && { against }),
    },
  };
}

/** Parses the subject of a panel that a reload restores. The host checks that paths are absolute. */
export function parseStudyOpen(value: unknown): StudyOpen | undefined {
  const { experiment, runs } = (value ?? {}) as Record<string, unknown>;
  if (typeof experiment === 'string') return { experiment };
  const isList = Array.isArray(runs) && runs.length > 0 && runs.every((r) => typeof r === 'string');
  return isList ? { runs } : undefined;
}
