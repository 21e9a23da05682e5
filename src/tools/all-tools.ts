import type { ToolName } from '../protocol/tools/tools';
import { compareTool } from './compare-tool';
import { errorsTool } from './errors-tool';
import { explainTool } from './explain-tool';
import { exportTool } from './export-tool';
import { followTool } from './follow-tool';
import { forkTool } from './fork-tool';
import { inspectTool } from './inspect-tool';
import { preflightTool } from './preflight-tool';
import { runTool } from './run-tool';
import { stopTool } from './stop-tool';
import { sweepTool } from './sweep-tool';
import type { Tool } from './tool';
import { validateTool } from './validate-tool';

/** The work of each tool. Front ends load it when a language model calls one for the first time. */
export const TOOL_WORK: Record<ToolName, Tool> = {
  aurora_inspect_model: inspectTool,
  aurora_validate_experiment: validateTool,
  aurora_preflight: preflightTool,
  aurora_run_experiment: runTool,
  aurora_run_sweep: sweepTool,
  aurora_follow_run: followTool,
  aurora_stop_run: stopTool,
  aurora_fork_run: forkTool,
  aurora_compare_runs: compareTool,
  aurora_explain_run: explainTool,
  aurora_show_errors: errorsTool,
  aurora_export_run: exportTool,
};
