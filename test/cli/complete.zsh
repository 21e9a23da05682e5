# Prints what zsh offers for a line that ends at the cursor, one candidate a line: a real completion in a real shell.
#
#   zsh -f complete.zsh FOLDER LINE
#
# FOLDER has _aurora, and becomes the first folder of fpath, as the help of `aurora completion` says.
emulate -R zsh
setopt extendedglob
zmodload zsh/zpty
zpty shell zsh -f -i

run() { zpty -w shell "$1" }
run "PS1= PS2= RPS1=; unsetopt beep; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D"
run "bindkey '^I' complete-word; zstyle ':completion:*' insert-tab false"
# The shell completes to offer, and does not insert: every candidate passes through compadd.
run 'compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-[OAD]\ * ]]; then builtin compadd "$@"; return; fi
  local -a found
  builtin compadd -A found "$@"
  (( $#found )) && print -rl -- "\1"${^found}
  return 1
}'
run 'compprefuncs=(); comppostfuncs=(finish); finish() { print -r -- $'"'"'\1end'"'"'; exit }'
run "print -r -- \$'\\1ready'"
# Until here, it prints the echo of what was typed.
while zpty -r shell line; do [[ $line == *$'\1ready'* ]] && break; done
zpty -w -n shell "$2"$'\t'
while zpty -r shell line; do
  line=${line%%[[:cntrl:]]#}
  [[ $line == *$'\1end'* ]] && break
  [[ $line == *'\1'* ]] && print -r -- ${line##*'\1'}
done
zpty -d shell
