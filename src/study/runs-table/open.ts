/** The subject of a Runs table: the workspace, an experiment (its file) or a sweep (its folder). */
export type RunsOpen = { all: true } | { experiment: string } | { sweep: string };

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Parses the subject of a panel that a reload restores. The host checks that paths are absolute. */
export function parseRunsOpen(value: unknown): RunsOpen | undefined {
  const { all, experiment, sweep } = (value ?? {}) as Record<string, unknown>;
  if (all === true) return { all };
  if (isText(experiment)) return { experiment };
  return isText(sweep) ? { sweep } : undefined;
}
