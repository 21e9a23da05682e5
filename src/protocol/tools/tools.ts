import type { ToolDefinition } from './definition';
import { INSPECT_MODEL, PREFLIGHT, RUN_EXPERIMENT, RUN_SWEEP, VALIDATE_EXPERIMENT } from './experiment-tools';
import {
  COMPARE_RUNS,
  EXPLAIN_RUN,
  EXPORT_RUN,
  FOLLOW_RUN,
  FORK_RUN,
  SHOW_ERRORS,
  STOP_RUN,
} from './run-tools';

/** All tools by the name under which a language model calls them, in the order in which they are usually needed. */
export const TOOLS = {
  aurora_inspect_model: INSPECT_MODEL,
  aurora_validate_experiment: VALIDATE_EXPERIMENT,
  aurora_preflight: PREFLIGHT,
  aurora_run_experiment: RUN_EXPERIMENT,
  aurora_run_sweep: RUN_SWEEP,
  aurora_follow_run: FOLLOW_RUN,
  aurora_stop_run: STOP_RUN,
  aurora_fork_run: FORK_RUN,
  aurora_compare_runs: COMPARE_RUNS,
  aurora_explain_run: EXPLAIN_RUN,
  aurora_show_errors: SHOW_ERRORS,
  aurora_export_run: EXPORT_RUN,
} satisfies Record<string, ToolDefinition>;

export type ToolName = keyof typeof TOOLS;
