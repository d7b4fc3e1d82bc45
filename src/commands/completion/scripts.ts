/**
 * What a shell reads once. All that is known of dap is asked of `dap __complete` at each press of the key: words up to the cursor in, a
 * candidate a line out, after a tab what it is. Where dap has none, the shell completes files.
 */
export const SCRIPTS = {
  // Without `mapfile`, which the bash of macOS does not have.
  bash: `# bash completion of dap; source it from ~/.bashrc
_dap() {
  local word
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    [[ -n $word ]] && COMPREPLY+=("$word")
  done < <("$1" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _dap dap
`,
  zsh: `#compdef dap
_dap() {
  local line
  local -a found
  for line in "\${(@f)$("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( $#found )); then _describe -V 'dap' found; else _files; fi
}
if [[ $funcstack[1] == _dap ]]; then _dap "$@"; else compdef _dap dap; fi
`,
  fish: `# fish completion of dap
function __dap_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    test (count $last) -eq 0; and set last ''
    set -l found ($words[1] __complete -- $words[2..-1] $last 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path $last
    end
end
complete -c dap -f -k -a '(__dap_complete)'
`,
} as const
