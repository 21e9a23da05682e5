import { AuroraError, EXIT } from '../../base/errors';
import { type Command, COMMON, one } from '../command';

const words = (names: readonly string[]): string => names.join(' ');

/** The script is also for bash 3.2, which macOS has: without associative arrays, and without compopt. */
const bashScript = (commands: readonly CompletedCommand[]): string => `\
# Completion of aurora for bash, printed by \`aurora completion bash\`.
_aurora() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="" name="" candidates="" i
  (( COMP_CWORD > 0 )) && previous="\${COMP_WORDS[COMP_CWORD-1]}"
  # bash splits --as=adapter into three words.
  if [[ $current == "=" ]]; then current=""; elif [[ $previous == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for (( i = 1; i < COMP_CWORD; i++ )); do
    if [[ \${COMP_WORDS[i]} != -* ]]; then name="\${COMP_WORDS[i]}"; break; fi
  done
  COMPREPLY=()
  if [[ -z $name ]]; then
    COMPREPLY=( $(compgen -W "${words([...commands.map((c) => c.name), '--help', '--version'])}" -- "$current") )
    return
  fi
  case "$name $previous" in
${commands.flatMap(valueCases).join('\n')}
  esac
  if [[ $current == -* ]]; then
    case "$name" in
${commands.map((c) => `      ${c.name}) candidates="${words(c.options.map((o) => o.name))}" ;;`).join('\n')}
    esac
    COMPREPLY=( $(compgen -W "$candidates" -- "$current") )
    return
  fi
  if (( i == COMP_CWORD - 1 )); then
    case "$name" in
${commands
  .filter((c) => c.words.length > 0)
  .map((c) => `      ${c.name}) candidates="${words(c.words)}" ;;`)
  .join('\n')}
    esac
    if [[ -n $candidates ]]; then
      COMPREPLY=( $(compgen -W "$candidates" -- "$current") )
      return
    fi
  fi
  _aurora_files "$current"
}
_aurora_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=( $(compgen -f -- "$1") )
}
complete -F _aurora aurora
`;

/** After an option with a value: its known values, or a file. */
function valueCases({ name, options }: CompletedCommand): string[] {
  const taking = options.filter((o) => o.takesValue);
  const known = taking.filter((o) => o.values.length > 0);
  const others = taking.filter((o) => o.values.length === 0);
  return [
    ...known.map(
      (o) =>
        `    "${name} ${o.name}") COMPREPLY=( $(compgen -W "${words(o.values)}" -- "$current") ); return ;;`,
    ),
    ...(others.length === 0
      ? []
      : [`    ${others.map((o) => `"${name} ${o.name}"`).join('|')}) _aurora_files "$current"; return ;;`]),
  ];
}

/** In single quotes. @param special characters that \`_arguments\` and \`_describe\` would read as their own */
const quoted = (text: string, special: RegExp): string =>
  text.replace(special, '\\$&').replaceAll("'", `'\\''`);

const zshScript = (commands: readonly CompletedCommand[]): string => `\
#compdef aurora
# Completion of aurora for zsh, printed by \`aurora completion zsh\`.
_aurora() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${commands.map((c) => `    '${c.name}:${quoted(c.summary, /[\\:]/g)}'`).join('\n')}
  )
  _arguments -C '(- *)--help[show the commands]' '(- *)--version[print the version]' '1: :->command' '*:: :->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $words[1] in
${commands.map(argumentsOf).join('\n')}
      esac ;;
  esac
}
if [[ $funcstack[1] == _aurora ]]; then _aurora "$@"; else compdef _aurora aurora; fi
`;

function argumentsOf({ name, options, words }: CompletedCommand): string {
  const first = words.length > 0 ? [`'1: :(${words.join(' ')})'`] : [];
  const all = [...options.map(optionSpec), ...first, "'*:file:_files'"];
  return `        ${name}) _arguments ${all.join(' ')} ;;`;
}

/** Both `--as adapter` and `--as=adapter`. */
function optionSpec({ name, takesValue, repeats, values, summary }: CompletedOption): string {
  const value = values.length > 0 ? `:value:(${values.join(' ')})` : ':value:_files';
  const about = `[${quoted(summary, /[[\]\\]/g)}]`;
  return `'${repeats ? '*' : ''}${name}${takesValue ? '=' : ''}${about}${takesValue ? value : ''}'`;
}

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
        `aurora cannot complete for the shell "${shell}".`,
        `The shells are ${Object.keys(SCRIPTS).join(' and ')}.`,
      );
    const entries = await Promise.all(
      commands.map(async ([name, { summary = '', load }]) => entryOf(name, summary, await load())),
    );
    process.stdout.write(SCRIPTS[shell]!(entries));
    return EXIT.ok;
  },
});

type Option = Command['options'][string];

interface CompletedCommand {
  name: string;
  summary: string;
  /** In the order of the command's own table, then those of all commands. */
  options: CompletedOption[];
  /** The words that can come first; a file otherwise. */
  words: readonly string[];
}

interface CompletedOption {
  /** With its dashes. */
  name: string;
  /** True if a value follows. */
  takesValue: boolean;
  /** True if it may be given several times. */
  repeats: boolean;
  /** Its known values; none for a file, a number or other text. */
  values: readonly string[];
  /** The first line about it in the command's help. */
  summary: string;
}

/** The parts of a command that can be completed: its own tables, without those that its help leaves out. */
function entryOf(name: string, summary: string, { options, values = {}, help }: Command): CompletedCommand {
  const own = Object.entries(options).filter(([option]) => new RegExp(`--${option}\\b`).test(help));
  return {
    name,
    summary,
    words: values[''] ?? [],
    options: [...own, ...Object.entries<Option>(COMMON)].map(([option, { type, multiple = false }]) => ({
      name: `--${option}`,
      takesValue: type === 'string',
      repeats: multiple,
      values: values[option] ?? [],
      summary: COMMON_SUMMARIES[option] ?? summaryOf(option, help),
    })),
  };
}

const COMMON_SUMMARIES: Readonly<Record<string, string>> = {
  help: 'all options of this command',
  quiet: 'print results and errors alone',
  verbose: 'show the stack trace of an error',
};

/** The text beside the option, or below a name that is too long for that. */
const summaryOf = (option: string, help: string): string =>
  new RegExp(`^ *--${option}(?: [A-Z]+(?:=[A-Z]+)?)?\\s+(\\S.*)$`, 'm').exec(help)?.[1] ?? '';
