import type { CompletedCommand } from './entries';

const words = (names: readonly string[]): string => names.join(' ');

/** The script is also for bash 3.2, which macOS has: without associative arrays, and without compopt. */
export const bashScript = (commands: readonly CompletedCommand[]): string => `\
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
