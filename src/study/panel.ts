import type { MetricName } from '../experiment/experiment';
import { isMetric } from '../experiment/metrics';
import type { Study } from './study';

/** What the Study page and its host say to each other: all runs of an experiment, or those that were selected. */
export type StudyOpen = { experiment: string } | { runs: string[] };

export type StudyFromHost =
  /** Everything; sent again whenever it changed. Of nothing to compare, `sections` is empty. */
  { type: 'study'; title: string; study: Study } | { type: 'error'; message: string };

/** How the person wants to look at it; kept by the page. */
export interface StudySettings {
  metric?: MetricName;
  against?: string;
}

export type StudyFromPage =
  | { type: 'settings'; settings: StudySettings }
  | { type: 'measure' }
  | { type: 'export' }
  | { type: 'copy'; text: string };

/** A message from the page, checked; undefined for what is not one. */
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

/** What a panel was opened for, as it comes back after a reload; whether paths are absolute is for the host to see. */
export function parseStudyOpen(value: unknown): StudyOpen | undefined {
  const { experiment, runs } = (value ?? {}) as Record<string, unknown>;
  if (typeof experiment === 'string') return { experiment };
  const isList = Array.isArray(runs) && runs.length > 0 && runs.every((r) => typeof r === 'string');
  return isList ? { runs } : undefined;
}
