import type { CompletedCommand, CompletedOption } from './entries';

/** In single quotes. @param special characters that \`_arguments\` and \`_describe\` would read as their own */
const quoted = (text: string, special: RegExp): string =>
  text.replace(special, '\\$&').replaceAll("'", `'\\''`);

export const zshScript = (commands: readonly CompletedCommand[]): string => `\
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
