function _femtodrive_model_file
  printf '%s\n' @MODELS@
  for ending in @ENDINGS@
    __fish_complete_suffix .$ending
  end
end

function _femtodrive_part_file
  printf '%s\n' @PARTS@
  __fish_complete_suffix .toml
end

function _femtodrive_runners
  __fish_append , @RUNNERS@
end

function _femtodrive_boards
  printf '%s\n' @BOARDS@
end

# the first word may be a model as well as a subcommand
complete -c femtodrive -n '_shtab_femtodrive_using; and test $_shtab_femtodrive_npos -eq 0' -ka '(_femtodrive_model_file)' -d model
