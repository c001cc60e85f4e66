#!/bin/sh
# Behaves as Terraform does, as far as `driftsentry scan` sees it: the real one is not in the registries that tests
# install from. Files in the module's folder control it.
echo "$1" >>steps
case "$1" in
plan)
  env >environment
  for argument; do
    case "$argument" in -out=*) file=${argument#-out=} ;; esac
  done
  echo "$file" >>plan_files
  cp plan.json "$file"
  # Two plans at the same time meet here.
  if [ -e meets ]; then
    touch began
    until [ -e "$(cat meets)/began" ]; do sleep 0.05; done
  fi
  if [ -e alone ]; then
    mkdir ../running || touch ../overlapped
    sleep 0.2
    rmdir ../running
  fi
  if [ -e hangs ]; then
    sleep 600 >/dev/null 2>&1 &
    trap 'echo given back >lock; exit 1' TERM
    echo "$!" >child
    wait
  fi
  if [ -e plan_fails ]; then
    echo "Error: no access with password=swordfish1 and $AWS_SECRET_ACCESS_KEY" >&2
    exit 1
  fi
  ;;
show)
  [ ! -e show_fails ] || exit 1
  for file; do :; done
  cat "$file"
  ;;
esac
