import { AuroraError, EXIT } from '../../../base/errors';
import { one, type Command } from '../../command';
import { bashScript } from './bash';
import { entryOf, type CompletedCommand } from './entries';
import { zshScript } from './zsh';

const SCRIPTS: Record<string, (commands: readonly CompletedCommand[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
};

/** The table of commands: those with a summary are completed. */
export type Commands = readonly (readonly [
  name: string,
  command: { summary?: string; load: () => Promise<Command> },
])[];

/** The command that prints completion scripts, made of the commands' own tables. */
export const completion = (commands: Commands): Command => ({
  help: `Usage: aurora completion bash|zsh

Prints a script with which the shell completes commands, options, their values, and files.

  bash   aurora completion bash > ~/.local/share/bash-completion/completions/aurora
         or, without the package bash-completion, in ~/.bashrc:  source <(aurora completion bash)
  zsh    aurora completion zsh > "\${fpath[1]}/_aurora"

Print it again after an update.
`,
  options: {},
  values: { '': Object.keys(SCRIPTS) },
  async run(args) {
    const shell = one(args, 'shell', 'completion');
    if (!Object.hasOwn(SCRIPTS, shell))
      throw new AuroraError(
        'usage',
        `There is no completion for "${shell}".`,
        `The shells are ${Object.keys(SCRIPTS).join(' and ')}.`,
      );
    const entries = await Promise.all(
      commands.map(async ([name, { summary = '', load }]) => entryOf(name, summary, await load())),
    );
    process.stdout.write(SCRIPTS[shell]!(entries));
    return EXIT.ok;
  },
});
