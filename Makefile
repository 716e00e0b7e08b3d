# SPDX-License-Identifier: MIT
#
# One word for each thing to do; `make help` tells them. Each installs what
# it needs, configures and builds first. The build itself is CMake's.

PREFIX ?= /usr/local
ARGS ?=
# Seconds for each fuzzer.
FUZZ_SECONDS ?= 60
# Seconds for each soak.
SOAK_SECONDS ?= 600
# Where everything is built.
BUILD ?= build
export BUILD

build := scripts/build
# Whoever tests a build with a sanitizer tests the code, not its surroundings.
code_only := -LE 'check|install|soak'

.PHONY: help setup demo test check asan tsan valgrind fuzz soak bench cover \
	format install clean
.NOTPARALLEL:

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## Install the Debian packages that the build needs
	@scripts/setup

demo: ## Run the demonstration; more for it in ARGS=
	@$(build) dev ctxvar-command
	@$(BUILD)/ctxvar demo $(ARGS)

test: ## Run all tests; ctest's arguments in ARGS=
	@$(build) dev
	@scripts/test dev $(ARGS)

check: ## Format, clang-tidy, cppcheck, clang's warnings, our own rules
	@scripts/check

asan: ## All tests with AddressSanitizer and UBSan
	@$(build) asan
	@scripts/test asan $(code_only) $(ARGS)

tsan: ## All tests with ThreadSanitizer
	@$(build) tsan
	@scripts/test tsan $(code_only) $(ARGS)

valgrind: ## All unit tests with valgrind
	@$(build) dev
	@scripts/valgrind $(ARGS)

fuzz: ## Run each fuzzer for FUZZ_SECONDS
	@$(build) fuzz
	@scripts/fuzz $(FUZZ_SECONDS)

soak: ## All kinds of work for SOAK_SECONDS; 10,000 tasks of 1,000 tenants
	@$(build) dev
	@$(BUILD)/soak/runtime $(SOAK_SECONDS)
	@CTXVAR_FULL=1 tests/sql/with_postgres $(BUILD)/tests/sql/lease

bench: ## Measure, beside the peers that Debian packages
	@scripts/setup bench
	@$(build) bench
	@bench/run.py $(BUILD)/bench $(ARGS)

cover: ## Coverage of the libraries by the tests
	@$(build) cover
	@scripts/cover

format: ## Format every C file
	@scripts/setup
	@find include src tools tests examples bench fuzz soak -name '*.[ch]' | \
		xargs clang-format -i

install: ## Install under PREFIX, inside DESTDIR if given
	@$(build) release
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)/release \
		--prefix "$$(realpath -m -- "$(PREFIX)")" \
		>$(BUILD)/release/install.log
	@echo "installed in $(DESTDIR)$$(realpath -m -- "$(PREFIX)")"
	@case "$(DESTDIR):$(PREFIX):$$(id -u)" in \
	:/usr/local:0 | :/usr:0) ldconfig ;; \
	esac

clean: ## Remove all that was built
	@rm -rf $(BUILD)
