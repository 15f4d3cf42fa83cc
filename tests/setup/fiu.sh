#!/usr/bin/env bash
# libfiu, which lets system calls of a process fail, for the stories of failing disks.
#
#   eval "$(tests/setup/fiu.sh)"   sets FIU_RUN; installs it if it is missing
set -Eeuo pipefail

setup="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
command -v fiu-run >/dev/null || "$setup/packages.sh" fiu-utils
printf 'export FIU_RUN=%q\n' "$(command -v fiu-run)"
