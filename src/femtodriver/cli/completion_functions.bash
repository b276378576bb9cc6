_femtodrive_models="@MODELS@" _femtodrive_endings="@ENDINGS@" _femtodrive_parts="@PARTS@"
_femtodrive_runner_names="@RUNNERS@" _femtodrive_board_names="@BOARDS@"

# $1: the word to complete; the others: endings of files
_femtodrive_files_with() {
  local word="$1" ending
  shift
  for ending in "$@"; do compgen -f -X "!*.$ending" -- "$word"; done
  compgen -d -- "$word"
}

_femtodrive_model_file() {
  compgen -W "$_femtodrive_models" -- "$1"
  _femtodrive_files_with "$1" $_femtodrive_endings
}

_femtodrive_part_file() {
  compgen -W "$_femtodrive_parts" -- "$1"
  _femtodrive_files_with "$1" toml
}

# names, separated by commas
_femtodrive_runners() {
  local before=""
  [[ "$1" == *,* ]] && before="${1%,*},"
  compgen -P "$before" -W "$_femtodrive_runner_names" -- "${1##*,}"
}

_femtodrive_boards() {
  compgen -W "$_femtodrive_board_names" -- "$1"
}

# the first word may be a model as well as a subcommand
_shtab_femtodrive_pos_0_COMPGEN=_femtodrive_model_file
