import type { ToolName } from '../protocol/tools/tools';
import type { Tool } from './tool';

/** The work of each tool, loaded when a language model calls one for the first time. */
export const LOAD_TOOL: Record<ToolName, () => Promise<Tool>> = {
  aurora_inspect_model: async () => (await import('./inspect-tool')).inspectTool,
  aurora_validate_experiment: async () => (await import('./validate-tool')).validateTool,
  aurora_preflight: async () => (await import('./preflight-tool')).preflightTool,
  aurora_run_experiment: async () => (await import('./run-tool')).runTool,
  aurora_run_sweep: async () => (await import('./sweep-tool')).sweepTool,
  aurora_follow_run: async () => (await import('./follow-tool')).followTool,
  aurora_stop_run: async () => (await import('./stop-tool')).stopTool,
  aurora_fork_run: async () => (await import('./fork-tool')).forkTool,
  aurora_compare_runs: async () => (await import('./compare-tool')).compareTool,
  aurora_explain_run: async () => (await import('./explain-tool')).explainTool,
  aurora_show_errors: async () => (await import('./errors-tool')).errorsTool,
  aurora_export_run: async () => (await import('./export-tool')).exportTool,
};

/** The names of all tools, without their descriptions, which an editor reads from package.json. */
export const toolNames = (): ToolName[] => Object.keys(LOAD_TOOL) as ToolName[];
