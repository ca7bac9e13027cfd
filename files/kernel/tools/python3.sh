#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For ansible_python_interpreter. Python is told its own path, so that it finds its modules there.
exec @PREFIX@/bin/oslab-as-linux -- /usr/bin/python3 "$@"
