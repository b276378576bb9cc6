_femtodrive_model_file() {
  local -a models=(@MODELS@) endings=(@ENDINGS@)
  _alternative "models:model:($models)" "files:file:_files -g '*.(${(j:|:)endings})(-.)'" "folders:folder:_files -/"
}

_femtodrive_part_file() {
  local -a parts=(@PARTS@)
  _alternative "parts:part:($parts)" "files:file:_files -g '*.toml(-.)'"
}

_femtodrive_runners() {
  local -a names=(@RUNNERS@)
  _values -s , runner $names
}

_femtodrive_boards() {
  local -a names=(@BOARDS@)
  _describe board names
}

# The first word is a subcommand, or a model; after a model come the options of the main command.
_femtodrive_main_options=("${_shtab_femtodrive_options[@]}")
functions[_femtodrive_subcommands]=$functions[_shtab_femtodrive_commands]
functions[_femtodrive_subcommand]=$functions[_shtab_femtodrive]

_femtodrive_first_word() {
  _femtodrive_subcommands
  _femtodrive_model_file
}

_shtab_femtodrive() {
  local -a subcommands=(@SUBCOMMANDS@)
  if (( CURRENT > 2 && $subcommands[(Ie)$words[2]] )); then
    _femtodrive_subcommand "$@"
  else
    _arguments -s "${_femtodrive_main_options[@]}" "1:model or subcommand:_femtodrive_first_word"
  fi
}
