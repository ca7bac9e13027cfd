#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

library=@PREFIX@/lib/oslab-kernel/as_linux.so

manual() {
	cat <<EOF
NAME
       oslab-as-linux - run a command that sees a system called Linux

SYNOPSIS
       oslab-as-linux [--] COMMAND [ARGUMENT]...

DESCRIPTION
       Runs COMMAND so that it and what it starts read "Linux" as the name of the
       system, as \`uname -s\` prints it, on a kernel that was given another name.
       Nothing else is changed. Where the name is Linux, COMMAND is just run.

       It is done with LD_PRELOAD. The kernel's own name is seen by programs that
       are statically linked, are of another architecture, change their user
       (sudo, su), or clear their environment; by what another process starts,
       as systemd its services; and in /proc.

OPTIONS
       -h, --help   print this

EXIT STATUS
       That of COMMAND; 2 wrong arguments, 126 COMMAND or
       $library cannot be
       used, 127 COMMAND was not found.

EXAMPLES
       oslab-as-linux ./configure
       oslab-as-linux sh -c 'uname -s'
EOF
}

stop() {
	echo "oslab-as-linux: $2" >&2
	exit "$1"
}

case ${1-} in
-h | --help)
	manual
	exit
	;;
--)
	shift
	;;
-*)
	stop 2 "unrecognized option '$1'; see --help"
	;;
esac
[ $# -gt 0 ] || stop 2 "COMMAND is missing; see --help"

if [ "$(uname -s)" != Linux ]; then
	[ -r "$library" ] || stop 126 "$library is missing: reinstall oslab-kernel-tools"
	LD_PRELOAD=$library${LD_PRELOAD:+:$LD_PRELOAD}
	export LD_PRELOAD
fi
exec "$@"
