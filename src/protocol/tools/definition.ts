/**
 * A tool that a language model can call, as both front ends declare it: VS Code's chat (languageModelTools in
 * package.json) and the server of `aurora mcp`. Its work is in src/tools.
 */
export interface ToolDefinition {
  /** The name that people write in VS Code's chat, after #. */
  reference: string;
  name: string;
  description: string;
  /** The description for the language model: what it does, when to call it, and what it needs. */
  forModel: string;
  icon: string;
  tag: string;
  effect: ToolEffect;
  /** JSON Schema of the input's properties. */
  input: Record<string, { type: string; description: string } & Record<string, unknown>>;
  required?: string[];
}

/**
 * `reads`: it changes nothing. `computes`: it runs a model and keeps at most files in the run's folder. `trains`: it starts
 * work that continues after its answer. `stops`: it ends work, which is saved and can be continued. All but the first ask a
 * person before.
 */
export type ToolEffect = 'reads' | 'computes' | 'trains' | 'stops';

/** The hints of the Model Context Protocol for a tool (ToolAnnotations). None deletes anything or leaves this machine. */
export const toolAnnotations = ({ name, effect }: Pick<ToolDefinition, 'name' | 'effect'>) => ({
  title: name,
  readOnlyHint: effect === 'reads',
  destructiveHint: false,
  idempotentHint: effect === 'reads' || effect === 'stops',
  openWorldHint: false,
});
