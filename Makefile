# Two commands matter: `make quickstart` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Everything that can be made again, and takes long, is kept below this directory.
export OSLAB_CACHE ?= $(HOME)/.cache/oslab-kernel
# The lab's repositories are where their web server may enter, which a home directory is not.
REPOSITORIES := /var/lib/oslab-kernel/lab

VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

LAB := ansible-playbook --inventory inventories/lab
FLEET := ansible-playbook --inventory inventories/fleet

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- what is needed ---------------------------------------------------------------------------

.PHONY: root
root:
	@[ "$$(id -u)" = 0 ] || { echo "This installs packages: run it as root, or with sudo." >&2; exit 1; }

# Asked for by name, so that a machine that has them all needs no network.
define install
missing=$$(for name in $$(grep -v '^#' $(1)); do \
	dpkg-query -W -f '$${db:Status-Abbrev}' "$$name" 2>/dev/null | grep -q '^ii' || echo "$$name"; done); \
if [ -n "$$missing" ]; then \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get -qq update && apt-get -qq install -y --no-install-recommends $$missing; \
fi
endef

.PHONY: packages
packages: root
	@$(call install,requirements-apt.txt)

# As root: only files whose hashes are committed, and none whose installation runs its own code.
PIP_INSTALL := $(BIN)/pip install --require-hashes --only-binary :all: --quiet --disable-pip-version-check

$(VENV)/.done: requirements.lock | packages
	@echo "Installing the Python packages of requirements.lock into $(VENV) …"
	@/usr/bin/python3 -m venv --clear $(VENV)
	@$(PIP_INSTALL) --requirement requirements.lock
	@touch $@

.PHONY: deps
deps: packages $(VENV)/.done ## Install what the other commands need

# A release of ansible-core for tests/sanity/run, and the oldest Python that it is tested with.
SANITY_CORES := 2.16:3.10 2.17:3.10 2.18:3.11 2.19:3.11 2.20:3.12 2.21:3.12
LOCK := uv pip compile --no-config --quiet --upgrade --generate-hashes --no-annotate --only-binary :all: \
	--custom-compile-command "make requirements-lock"

.PHONY: requirements-lock
requirements-lock: deps ## Write the lock files: versions and hashes of all Python packages
	@$(LOCK) --python-version 3.11 --output-file requirements.lock requirements.txt
	@for name in vagrant uefi; do \
		$(LOCK) --python-version 3.11 --no-deps --output-file "requirements-$$name.lock" "requirements-$$name.txt"; \
	done
	@for pair in $(SANITY_CORES); do \
		printf 'ansible-core==%s.*\npytest\npytest-xdist\n' "$${pair%:*}" | $(LOCK) --universal \
			--python-version "$${pair#*:}" --output-file "tests/sanity/requirements-$${pair%:*}.lock" -; \
	done

# --- variables of yours ------------------------------------------------------------------------

# A file of variables, such as patch_syscalls_extra and config_options_extra: docs/how-to/add-a-syscall.md.
VARS ?=
# A version of kernel.org, as 6.8 or 6.12.58; without it the lab builds Debian's source of 6.12.
KERNEL ?=
KERNEL_VARS := $(if $(KERNEL),--extra-vars "source_provider=kernel_org source_version=$(KERNEL)" )
EXTRA_VARS := $(if $(VARS),--extra-vars "@$(VARS)")

.PHONY: vars
vars: deps
	@$(if $(VARS),$(BIN)/python tests/own_syscalls.py check "$(VARS)")

# --- the lab: one VM on this machine ----------------------------------------------------------

.PHONY: quickstart
quickstart: vars ## Build a kernel, boot and verify it in a VM (KERNEL=6.8, VARS=FILE)
	@$(LAB) playbooks/lab.yml
	@$(LAB) site.yml $(KERNEL_VARS)$(EXTRA_VARS)

.PHONY: lab-up
lab-up: deps ## Start the lab's VM
	@$(LAB) playbooks/lab.yml

.PHONY: lab-ssh
lab-ssh: ## Log in to the lab's VM
	@exec ssh -F "$(OSLAB_CACHE)/lab/ssh_config" lab-vm

.PHONY: lab-down
lab-down: deps ## Stop the lab's VM
	@$(LAB) playbooks/lab.yml --extra-vars lab_state=stopped

.PHONY: lab-clean
lab-clean: deps ## Remove the lab's VM; images, sources and builds stay in the cache
	@$(LAB) playbooks/lab.yml --extra-vars lab_state=absent

.PHONY: box
box: deps ## Make a Vagrant box from the image of the lab's VM
	@$(LAB) playbooks/box.yml

# --- a fleet: several VMs with different hardware, one kernel for all -----------------------------

N ?= 3
HOST ?= fleet-1

.PHONY: lab-fleet
lab-fleet: vars ## Build one kernel for N=3 different VMs and deploy it in waves
	@$(FLEET) playbooks/lab_fleet.yml --extra-vars lab_fleet_size=$(N)
	@$(FLEET) --inventory "$(OSLAB_CACHE)/fleet/hosts.yml" site.yml $(KERNEL_VARS)$(EXTRA_VARS)

.PHONY: lab-fleet-ssh
lab-fleet-ssh: ## Log in to one VM of the fleet (HOST=fleet-1)
	@exec ssh -F "$(OSLAB_CACHE)/fleet/$(HOST)/ssh_config" $(HOST)

.PHONY: lab-fleet-down
lab-fleet-down: deps ## Stop the fleet's VMs
	@$(FLEET) playbooks/lab_fleet.yml --extra-vars lab_state=stopped

.PHONY: lab-fleet-clean
lab-fleet-clean: deps ## Remove the fleet's VMs; images, sources and builds stay in the cache
	@$(FLEET) playbooks/lab_fleet.yml --extra-vars lab_state=absent

.PHONY: clean-cache
clean-cache: ## Empty the cache: sources, images, ccache, builds, the lab's repositories
	rm -rf -- "$(OSLAB_CACHE)" $(REPOSITORIES)

# --- a syscall of yours, tried without a kernel ------------------------------------------------

FAKE := $(OSLAB_CACHE)/fake
FAKE_TREE := $(FAKE)/work/trees/file-6.12/linux
# Only what changes or fails.
QUIET := ANSIBLE_DISPLAY_OK_HOSTS=false ANSIBLE_DISPLAY_SKIPPED_HOSTS=false

# Always the same bytes, so that the tree is unpacked once.
.PHONY: try-syscalls
try-syscalls: vars ## Patch and configure the fake kernel tree with VARS=FILE (seconds)
	@mkdir -p "$(FAKE)"
	@tar --directory tests/fixtures --transform 's,^fakelinux,linux-6.12,' --sort name --mtime @0 \
		--owner 0 --group 0 --numeric-owner --create fakelinux | gzip -n > "$(FAKE)/linux-6.12.tar.gz"
	@$(QUIET) ansible-playbook --inventory tests/fixtures/fakelinux.yml playbooks/build.yml \
		--tags source,version,patch,config $(EXTRA_VARS)
	@echo "Nothing was compiled. The fake tree is $(FAKE_TREE), with these syscalls:"
	@$(BIN)/python tests/own_syscalls.py list "$(FAKE_TREE)"

# --- tests ------------------------------------------------------------------------------------

# One after the other: each uses all processors. The times are of use where a run takes too long.
STAGES := lint test-unit test-galaxy test-role test-molecule test-debian13

.PHONY: test
test: ## Run the stages lint, test-unit, test-galaxy, test-role, test-molecule, test-debian13
	@for stage in $(STAGES); do \
		SECONDS=0; $(MAKE) --no-print-directory $$stage; echo "make $$stage took $$SECONDS s"; \
	done

.PHONY: lint
lint: deps ## Run the linters, the type checker and the spelling checker
	ruff check .
	ruff format --check .
	yamllint --strict .
	codespell
	antsibull-changelog lint
	mypy $(addprefix --package ansible_collections.oslab.kernel.,plugins tests bench)
	ANSIBLE_COLLECTIONS_PATH=collections ansible-lint

# Each process begins with a share of neighbouring tests, so most of a file's are in one process, and what they
# share is made once there. One that has no more takes tests of another, and makes it again.
PARALLEL := --numprocesses auto --dist worksteal

.PHONY: test-unit
test-unit: deps ## Run the unit tests (minutes)
	pytest $(PARALLEL) tests/unit

.PHONY: test-galaxy
test-galaxy: deps ## Build the collection, install it in an empty directory and check it
	pytest $(PARALLEL) tests/integration/galaxy

.PHONY: packages-source
packages-source: root
	@$(call install,requirements-apt-source.txt)

.PHONY: test-role
test-role: deps packages-source ## Run the tests of the roles on the fake kernel tree (minutes)
	pytest $(PARALLEL) -m "not long" tests/integration/role

.PHONY: test-role-long
test-role-long: deps packages-source ## Run the tests of the roles that `make test-role` skips: they take long
	pytest $(PARALLEL) -m long tests/integration/role

.PHONY: test-molecule
test-molecule: deps ## Build and boot a kernel in a VM; test check mode and idempotence
	tests/system/molecule.py test

# Not part of `make test`, which is to end within an hour on two processors.
# With the kernel that the scenario before has published, or the lab.
.PHONY: test-faults-fast
test-faults-fast: deps ## Break a VM in three ways; check that it recovers
	tests/system/molecule.py test --scenario-name faults

# Not part of `make test`: a second kernel is compiled, and two VMs run at the same time.
.PHONY: test-fleet
test-fleet: deps ## Build one kernel for two different VMs and deploy it in waves
	tests/system/molecule.py test --scenario-name fleet

# Not part of `make test`: two machines are booted several times.
.PHONY: test-pull
test-pull: deps ## Let two VMs pull a kernel from the repository by themselves, one after the other
	tests/system/molecule.py test --scenario-name pull

# Beside the other Python packages, so that they are not made anew for the sake of one test.
$(VENV)/vagrant/.done $(VENV)/uefi/.done: $(VENV)/%/.done: requirements-%.lock $(VENV)/.done
	@$(PIP_INSTALL) --no-deps --upgrade --target $(@D) --requirement $<
	@touch $@

.PHONY: packages-vagrant
packages-vagrant: root
	@$(call install,requirements-apt-vagrant.txt)

# OSLAB_VAGRANT_BOX names a public box, for which none has to be made.
.PHONY: test-vagrant
test-vagrant: deps packages-vagrant $(VENV)/vagrant/.done $(if $(OSLAB_VAGRANT_BOX),,box) ## Run the Molecule scenario in a VM that Vagrant creates
	PYTHONPATH="$(CURDIR)/$(VENV)/vagrant" tests/system/vagrant/run.py

# Not part of `make test` for the same reason: a kernel is compiled twice.
# The source is Debian's, which Molecule's scenario installs.
.PHONY: test-reproduce
test-reproduce: deps ## Build a small kernel twice; check that both builds are identical
	nice -n 19 pytest tests/integration/reproduce

.PHONY: test-sanity
test-sanity: deps ## Run ansible-test sanity and units on the collection (ANSIBLE_CORE=2.16)
	PYTHON="$(PYTHON)" tests/sanity/run $(ANSIBLE_CORE)

.PHONY: docs
docs: deps ## Write the tables of the roles' variables in the docs
	@$(BIN)/python tests/integration/galaxy/role_tables.py

.PHONY: changelog
changelog: deps ## Move the fragments of changelogs/ into CHANGELOG.md
	antsibull-changelog lint
	antsibull-changelog release --update-existing

# --- longer looks, on the tree that `make quickstart` has built --------------------------------

VARIANT ?= kasan

.PHONY: test-kernel-debug
test-kernel-debug: deps ## Run the self-tests on a debug kernel (VARIANT=kasan, kcsan, rt, …)
	tests/system/debug_kernel/run.py $(VARIANT)

# A tree of Linux 6.8 or older has all of them: newer ones compile other lines (CC_HAS_NAMED_AS).
TREE ?= $(firstword $(wildcard $(OSLAB_CACHE)/work/trees/*/linux))

.PHONY: test-kernel-mutants
test-kernel-mutants: deps ## Put faults into the kernel code; check that its self-tests fail (TREE=…)
	$(if $(TREE),,$(error name a kernel tree with TREE=…))
	tests/system/debug_kernel/mutants.py --tree "$(TREE)"

# The kernel is the one that `make quickstart` has published.
FAULTS ?=

.PHONY: test-faults
test-faults: deps ## Inject faults into a VM; check that it recovers (FAULTS="panic oops")
	tests/system/faults/run.py $(FAULTS)

# With GRUB's files on LVM, RAID or btrfs, encrypted, with UEFI and Secure Boot, hardened, or with a module of DKMS.
HOSTS ?= lvm lvm-uefi raid1 btrfs luks uefi secure-boot hardened dkms

.PHONY: test-hosts
test-hosts: deps $(VENV)/uefi/.done ## Inject faults into VMs that are not like the lab's (HOSTS="lvm raid1 uefi")
	@$(LAB) playbooks/lab.yml
	@tests/system/faults/hosts/image_key.py
	@$(LAB) playbooks/build.yml --extra-vars @tests/system/faults/hosts/kernel.yml
	for host in $(HOSTS); do \
		PYTHONPATH="$(CURDIR)/$(VENV)/uefi" tests/system/faults/run.py --host "$$host" $(FAULTS); \
	done

.PHONY: test-debian13
test-debian13: deps ## Deploy the kernel of test-molecule to a VM with Debian 13 whose disk is a logical volume
	@$(LAB) tests/system/faults/hosts/image.yml
	tests/system/faults/run.py --host lvm --suite trixie --published $(REPOSITORIES)/repository-molecule \
		confirmed-pinned

.PHONY: test-soft-faults
test-soft-faults: deps ## Boot a kernel that lacks things and complains in a VM; check that it is refused
	tests/system/soft_faults/run.py

.PHONY: test-good-trials
test-good-trials: deps ## Deploy a good kernel to a VM again and again; check that each trial boot is confirmed
	tests/system/good_trials/run.py

.PHONY: test-smoke
test-smoke: deps ## Boot the build of `make quickstart` with faults; check that its smoke test names them
	tests/system/smoke_test/run.py

.PHONY: test-secure-boot
test-secure-boot: deps ## Build a small signed kernel; boot it in a VM with Secure Boot
	tests/system/secure_boot/run.py

# Needs apt for systemd-boot, and nobody's network card or disk.
.PHONY: test-systemd-boot
test-systemd-boot: deps ## Deploy kernels to a VM that boots with systemd-boot
	tests/system/systemd_boot/run.py

.PHONY: reproduce
reproduce: deps ## Show that a build is the same elsewhere: four environments, two builders, without the keys
	tests/integration/reproduce/run.py
	$(MAKE) --no-print-directory test-builders test-secure-boot

.PHONY: test-builders
test-builders: deps ## Let a builder with Debian 13 rebuild what this one has built; check that it is the same
	tests/system/builders/run.py

.PHONY: bench
bench: deps ## Measure the cost of the syscalls and of the role build
	bench/syscalls/run.py
	bench/build_phase/run.py
