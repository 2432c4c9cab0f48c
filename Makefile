# Calls scripts only, so that a machine without make has the same commands.
.PHONY: demo test build
build:
	scripts/build
demo:
	scripts/demo
test:
	scripts/test
