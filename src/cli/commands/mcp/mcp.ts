import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import { type Command, type ParsedArgs, threadCount } from '../../command';
import {
  deviceRequest,
  FALLBACK_OPTION,
  PLACE_HELP,
  PLACE_OPTIONS,
  PLACE_VALUES,
} from '../../device-options';
import { serve } from './serve';
import { ServerHost } from './server-host';

export const mcpCommand: Command = {
  help: `Usage: aurora mcp [FOLDER …] [options]

Serves the lab to an agent (Claude Code, Codex, Cursor and others) as tools of the Model Context Protocol, on standard input and
output: inspect a model, validate an experiment, run a preflight, train, follow, stop, fork, sweep, compare, explain, show errors,
export. The agent starts this command; docs/agents.md shows how. FOLDER is the workspace (default: the current folder): nothing
outside it is read, except models and data sets from the Hugging Face hub that were downloaded before.

Before anything trains, runs a model or is stopped, the agent's program asks you. One that cannot ask is refused.

  --allow-training   ask nobody: the agent may train, measure, export and stop
${PLACE_HELP}  --threads N        threads on the CPU (default: OMP_NUM_THREADS, or one per core)

Ends when the agent closes its input. Runs that it started continue; stop them with the same tool, or in the editor.
`,
  options: {
    'allow-training': { type: 'boolean' },
    ...PLACE_OPTIONS,
    ...FALLBACK_OPTION,
    threads: { type: 'string' },
  },
  values: PLACE_VALUES,
  async run(args) {
    const folders = (args.positionals.length > 0 ? args.positionals : ['.']).map(folderAt);
    const host = new ServerHost(folders, placeIn(args), join(__dirname, 'cli.cjs'));
    await serve(host, args.flag('allow-training'));
    return EXIT.ok;
  },
};

function folderAt(given: string): string {
  if (statSync(given, { throwIfNoEntry: false })?.isDirectory()) return resolve(given);
  throw new AuroraError(
    'usage',
    `There is no folder ${given}.`,
    'Give the folder with your experiments, models and data.',
  );
}

/** The options that every command of a tool gets. */
function placeIn(args: ParsedArgs): string[] {
  // An unknown device is an error now, and not at the first run.
  deviceRequest(args);
  const threads = args.text('threads');
  if (threads !== undefined) threadCount(threads);
  return [
    ...(['engine', 'device', 'threads'] as const).flatMap((option) => {
      const value = args.text(option);
      return value === undefined ? [] : [`--${option}=${value}`];
    }),
    ...(args.flag('fallback') ? ['--fallback'] : []),
  ];
}
