# weir's only build file. `make help` lists what it can do.
#
#   VARIANT=dev|rel|asan|fuzz|cov   which build (rel unless said); objects go to build/VARIANT/src
#   WERROR=1                        a warning is an error (what the gate uses)
#
# Sources are found by name, so a new module needs no line here:
#   src/FOLDER/x.c         the library: one archive per folder, and build/VARIANT/libweir.a with all of them
#   src/FOLDER/x_test.c    build/VARIANT/test/FOLDER/x_test, linked with what tools/layers lets FOLDER see
#   src/FOLDER/x_fuzz.c    build/fuzz/fuzz/FOLDER/x_fuzz, and a replay of test/corpus/x in `make test`
#   src/app/main_P.c       a program: weir, leader (build/weir-leader), inner (build/weir-inner), hook (build/weir-hook)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif

VARIANT ?= rel
VARIANTS := dev rel asan fuzz cov
ifeq ($(filter $(VARIANT),$(VARIANTS)),)
$(error VARIANT=$(VARIANT) is none of: $(VARIANTS))
endif
WERROR ?=
DESTDIR ?=
PREFIX ?= /usr/local
B := build/$(VARIANT)
export VARIANT WERROR

# ---------------------------------------------------------------- sources

ALL_C := $(sort $(wildcard src/*/*.c))
MAIN_C := $(wildcard src/app/main_*.c)
TEST_C := $(filter %_test.c,$(ALL_C))
FUZZ_C := $(filter %_fuzz.c,$(ALL_C))
LIB_C := $(filter-out $(MAIN_C) $(TEST_C) $(FUZZ_C),$(ALL_C))
INNER_C := $(wildcard src/app/main_inner.c) $(filter-out %_test.c %_fuzz.c,$(wildcard src/exec/inner_*.c))
HOOK_C := $(wildcard src/app/main_hook.c) src/git/pkt.c
FOLDERS := $(sort $(foreach f,$(LIB_C),$(word 2,$(subst /, ,$(f)))))
PURE := base core stats probe conf sim page

# A main that is not written yet is no program yet.
PROGRAMS := $(if $(wildcard src/app/main_weir.c),weir) \
            $(if $(wildcard src/app/main_leader.c),weir-leader) \
            $(if $(wildcard src/app/main_inner.c),weir-inner) \
            $(if $(wildcard src/app/main_results.c),weir-results) \
            $(if $(wildcard src/app/main_hook.c),weir-hook)

# ---------------------------------------------------------------- flags

CC := gcc
CLANG := clang
PKGS := fuse3 sqlite3 libmicrohttpd libuv libcurl libfyaml jansson libxml-2.0 libsodium libzstd libseccomp

# Asked on first use only, because a bare machine has no pkg-config before `make deps`; third-party
# headers are system headers, so their warnings are not ours.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS))))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wvla -Wswitch-enum -Wundef -Wwrite-strings -Wformat=2 -Wcast-qual \
        -Wpointer-arith -Wimplicit-fallthrough -Wnull-dereference -fno-common
LANG_FLAGS := -std=gnu17 -D_GNU_SOURCE -Isrc
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

CC_dev := $(CC)
CC_rel := $(CC)
CC_asan := $(CC)
CC_fuzz := $(CLANG)
CC_cov := $(CC)
OPT_dev := -Og -g3
OPT_rel := -O2 -g $(HARDEN)
OPT_asan := -O1 -g $(SANITIZE)
OPT_fuzz := -O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link
OPT_cov := -O0 -g --coverage
LD_dev :=
LD_rel := -Wl,-z,relro,-z,now
LD_asan := $(SANITIZE)
LD_fuzz := $(SANITIZE)
LD_cov := --coverage

COMPILE = $(CC_$(1)) $(LANG_FLAGS) $(WARN) $(if $(WERROR),-Werror) $(OPT_$(1)) -fPIE -ffunction-sections \
          -fdata-sections $(PKG_CFLAGS) $(CFLAGS) -MMD -MP
LINK = $(CC_$(1)) $(OPT_$(1)) -pie $(LD_$(1)) -Wl,--gc-sections -Wl,--as-needed $(LDFLAGS)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2))

# ---------------------------------------------------------------- what one variant builds

# Which archives the tests of a folder are linked with: the folder and all it may include. So a
# forbidden dependency does not even link, and a broken neighbour does not stop your test.
-include build/layers.mk
build/layers.mk: tools/layers
	@mkdir -p build && tools/layers --make >$@.new && mv $@.new $@

archives = $(patsubst %,build/$(1)/lib/%.a,$(filter $(FOLDERS),$(SEES_$(2))))

# $(1) = variant. Warnings are kept beside the object: `make lint` counts them even when nothing is
# left to compile.
define variant_rules
build/$(1)/src/%.o: src/%.c Makefile
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(call COMPILE,$(1)) -c $$< -o $$@ 2>$$@.log || { cat $$@.log >&2; rm -f $$@.log; exit 1; }; cat $$@.log >&2

build/$(1)/libweir.a: $(patsubst %.c,build/$(1)/%.o,$(LIB_C))
	@mkdir -p $$(@D) && rm -f $$@
	$$(Q)ar rcs $$@ $$^

build/$(1)/weir: build/$(1)/src/app/main_weir.o build/$(1)/libweir.a
	$$(call say,LINK,$$@)
	$$(Q)$$(call LINK,$(1)) -o $$@ $$^ $$(PKG_LIBS) -lm

build/$(1)/weir-leader: build/$(1)/src/app/main_leader.o $(call archives,$(1),exec)
	$$(call say,LINK,$$@)
	$$(Q)$$(call LINK,$(1)) -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(PKG_LIBS) -lm

# Apart from the leader, so that it starts without the libraries that read XML and needs no trust in them.
build/$(1)/weir-results: build/$(1)/src/app/main_results.o $(call archives,$(1),exec)
	$$(call say,LINK,$$@)
	$$(Q)$$(call LINK,$(1)) -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(PKG_LIBS) -lm

# The first program inside the sandbox finds no library there, and no sanitizer could start.
build/$(1)/weir-inner: $(patsubst %.c,build/rel/%.o,$(INNER_C))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(OPT_rel) -static -Wl,--gc-sections -Wl,-z,relro,-z,now -o $$@ $$^

# Pushers of any kind run it, from inside the repository; no sanitizer, as above.
build/$(1)/weir-hook: $(patsubst %.c,build/rel/%.o,$(HOOK_C))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(OPT_rel) -static -Wl,--gc-sections -Wl,-z,relro,-z,now -o $$@ $$^
endef
$(foreach v,$(VARIANTS),$(eval $(call variant_rules,$(v))))

# $(1) = variant, $(2) = folder
define folder_rules
build/$(1)/lib/$(2).a: $(patsubst %.c,build/$(1)/%.o,$(filter src/$(2)/%,$(LIB_C)))
	@mkdir -p $$(@D) && rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach v,$(VARIANTS),$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$(v),$(f)))))

# $(1) = variant, $(2) = folder, $(3) = module
define test_rules
build/$(1)/test/$(2)/$(3)_test: build/$(1)/src/$(2)/$(3)_test.o $(call archives,$(1),$(2))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(call LINK,$(1)) -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(PKG_LIBS) -lcmocka -lm
endef
define replay_rules
build/$(1)/replay/$(2)/$(3)_fuzz: build/$(1)/src/$(2)/$(3)_fuzz.o build/$(1)/replay/main.o $(call archives,$(1),$(2))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(call LINK,$(1)) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(PKG_LIBS) -lm
endef
define fuzz_rules
build/fuzz/fuzz/$(1)/$(2)_fuzz: build/fuzz/src/$(1)/$(2)_fuzz.o $(call archives,fuzz,$(1))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(call LINK,fuzz) -fsanitize=fuzzer -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(PKG_LIBS) -lm
endef
folder_of = $(word 2,$(subst /, ,$(1)))
module_of = $(patsubst %_$(2).c,%,$(notdir $(1)))
$(foreach v,$(VARIANTS),$(foreach t,$(TEST_C),$(eval $(call test_rules,$(v),$(call folder_of,$(t)),$(call module_of,$(t),test)))))
$(foreach v,$(VARIANTS),$(foreach t,$(FUZZ_C),$(eval $(call replay_rules,$(v),$(call folder_of,$(t)),$(call module_of,$(t),fuzz)))))
$(foreach t,$(FUZZ_C),$(eval $(call fuzz_rules,$(call folder_of,$(t)),$(call module_of,$(t),fuzz))))

# The assembler copies these into the object.
$(VARIANTS:%=build/%/src/page/asset.o): src/page/style.css src/page/script.js

build/%/replay/main.o: tools/replay_main.c Makefile
	@mkdir -p $(@D)
	$(Q)$(call COMPILE,$*) -c $< -o $@

UNIT := $(patsubst src/%.c,$(B)/test/%,$(TEST_C))
REPLAY := $(patsubst src/%.c,$(B)/replay/%,$(FUZZ_C))
FUZZERS := $(patsubst src/%.c,build/fuzz/fuzz/%,$(FUZZ_C))
OBJECTS := $(patsubst %.c,$(B)/%.o,$(ALL_C))
TOP := $(if $(filter rel,$(VARIANT)),$(PROGRAMS:%=build/%))

.SECONDARY:
-include $(foreach v,$(VARIANTS),$(wildcard build/$(v)/src/*/*.d build/$(v)/replay/*.d))

$(PROGRAMS:%=build/%): build/%: build/rel/%
	@ln -f $< $@

# ---------------------------------------------------------------- targets

.PHONY: all help deps deps-lint objects unit suites demo test check lint format sim fuzz bench install clean \
        list-objects list-flags syntax-stdin clang-syntax analyze tidy

all: $(B)/libweir.a $(PROGRAMS:%=$(B)/%) $(TOP) ## build the programs (build/weir)

objects: $(OBJECTS)

unit: $(UNIT) ## build the unit tests of VARIANT

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install the missing Debian packages (as root or with sudo), or say what is missing
	@tools/deps tools/deps.list

deps-lint: ## the same for what only lint and the browser tests need
	@tools/deps tools/deps.list tools/deps-lint.list

# The sub-make sees the machine as deps left it.
demo: deps ## watch commits travel from a push to production (REPO=path, DEMO_EXIT=1)
	@+$(MAKE) --no-print-directory all
	@REPO='$(REPO)' DEMO_EXIT='$(DEMO_EXIT)' tools/demo

test: deps ## every test; ends with "N passed, N failed"
	@+$(MAKE) --no-print-directory suites

suites: all $(UNIT) $(REPLAY)
	@tools/test $(UNIT) -- $(REPLAY)

lint: deps-lint ## the fast gate: warnings, layers, symbols, purity, includes, sizes, format, shellcheck
	@+$(MAKE) --no-print-directory VARIANT=rel objects
	@+VARIANT=rel tools/lint

format: ## lay out the sources with clang-format (FILES="..." for some)
	@clang-format -i $(or $(FILES),$(filter-out %.def.h,$(wildcard src/*/*.c src/*/*.h tools/*.c)))

check: deps-lint ## the whole gate: lint, analyzers, clang-tidy, sanitizers, 60 s of each fuzzer
	@+tools/check

sim: all ## a thousand seeds of the simulated world (SEEDS=n)
	@$(B)/weir simulate faults --seeds $(or $(SEEDS),1000)

fuzz: $(FUZZERS) ## run each fuzzer for SECONDS=60 (new inputs stay in build/fuzz/corpus)
	@tools/fuzz $(or $(SECONDS),60) $(FUZZERS)

bench: all ## print the numbers
	@set -e; for b in $(wildcard bench/bench_*); do "$$b"; done

install: all ## install to DESTDIR and PREFIX
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' tools/install $(B)

clean: ## remove build/
	rm -rf build

# ---------------------------------------------------------------- what tools/lint and tools/check ask for

PLAIN = $(LANG_FLAGS) $(WARN) -Werror $(PKG_CFLAGS) $(CFLAGS)

list-objects:
	@printf '%s\n' $(OBJECTS)

list-flags:
	@echo $(LANG_FLAGS) $(PKG_CFLAGS)

syntax-stdin:
	@$(CC) $(PLAIN) -fsyntax-only -x c -

clang-syntax: $(ALL_C:%.c=build/clang/%.ok)
analyze: $(ALL_C:%.c=build/analyze/%.ok)

build/clang/%.ok: %.c Makefile
	@mkdir -p $(@D)
	@$(CLANG) $(PLAIN) -fsyntax-only -MMD -MP -MF $(@:.ok=.d) -MT $@ $<
	@touch $@

build/analyze/%.ok: %.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(PLAIN) -O1 -fanalyzer -c -o /dev/null -MMD -MP -MF $(@:.ok=.d) -MT $@ $<
	@touch $@

# After clang-syntax, which knows what a source includes. clang-tidy counts what it suppressed on stderr.
tidy: $(ALL_C:%.c=build/tidy/%.ok)
build/tidy/%.ok: %.c build/clang/%.ok .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet --warnings-as-errors='*' $< -- $(LANG_FLAGS) $(PKG_CFLAGS) >$@.log 2>$@.err || { cat $@.log; test -s $@.log || cat $@.err; exit 1; }
	@touch $@

-include $(wildcard build/clang/src/*/*.d build/analyze/src/*/*.d)
